import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { type FakeProxy, startFakeProxy } from "./proxy-fixture.ts";
import { createProxyRules } from "./proxy-rules.ts";
import { openTunnel } from "./proxy-tunnel.ts";
import { startFakeRegistry } from "./registry-fixture.ts";
import { createRegistryTransport } from "./registry-transport.ts";

const target = "registry.example:443";
const tls = { isUnverified: false };

function tunnel(address: string) {
  const rules = createProxyRules({ httpsProxy: address });
  const proxy = rules.proxyFor(new URL(`https://${target}`));
  assert.ok(proxy);
  const { signal } = new AbortController();
  return openTunnel({ proxy, target, connectMs: 5_000, ca: [], signal });
}

async function withEcho(run: (proxy: FakeProxy) => Promise<void>): Promise<void> {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  const { port } = echo.address() as AddressInfo;
  try {
    await using proxy = await startFakeProxy(new Map([[target, `127.0.0.1:${port}`]]));
    await run(proxy);
  } finally {
    echo.close();
  }
}

test("a tunnel carries bytes both ways", () =>
  withEcho(async (proxy) => {
    const socket = await tunnel(proxy.host);
    socket.write("hello");
    const [bytes] = (await once(socket, "data")) as [Buffer];
    assert.equal(bytes.toString(), "hello");
    socket.destroy();
    assert.deepEqual(proxy.requests, [`CONNECT ${target}`]);
  }));

test("a proxy may want to know who asks", () =>
  withEcho(async (proxy) => {
    proxy.mood.user = "me:secret";
    await assert.rejects(tunnel(proxy.host), {
      code: "unauthorized",
      message: `proxy http://${proxy.host} of HTTPS_PROXY wants a user in its address (407)`,
    });
    await assert.rejects(tunnel(`me:wrong@${proxy.host}`), /refuses the user and password/);
    (await tunnel(`me:secret@${proxy.host}`)).destroy();
  }));

test("a proxy that opens no tunnel, or is not reached, is told as such", () =>
  withEcho(async (proxy) => {
    proxy.mood.status = 502;
    await assert.rejects(tunnel(proxy.host), {
      code: "unavailable",
      message: `proxy http://${proxy.host} of HTTPS_PROXY answers 502 for ${target}`,
    });
    await assert.rejects(tunnel("127.0.0.1:1"), {
      code: "unreached",
      message: /^proxy http:\/\/127.0.0.1:1 of HTTPS_PROXY was not reached: .*ECONNREFUSED/,
    });
  }));

test("plain requests go to the proxy as a whole, and no proof for it goes further", async () => {
  await using registry = await startFakeRegistry();
  await using proxy = await startFakeProxy(new Map([["registry.example", registry.host]]));
  proxy.mood.user = "me:secret";
  const ask = async (httpProxy: string) => {
    const proxies = createProxyRules({ httpProxy });
    using transport = createRegistryTransport({ tls, proxies });
    const url = new URL("http://registry.example/v2/app/manifests/1?a=b");
    const answer = await transport.send({ method: "GET", url, headers: {} });
    answer.destroy();
    return answer.statusCode;
  };
  assert.equal(await ask(`http://me:secret@${proxy.host}`), 404);
  assert.deepEqual(proxy.requests, ["GET http://registry.example/v2/app/manifests/1?a=b"]);
  assert.deepEqual(registry.requests, ["GET /v2/app/manifests/1?a=b"]);
  assert.deepEqual(registry.proofs, [undefined]);
  await assert.rejects(ask(proxy.host), /of HTTP_PROXY wants a user in its address/);
});

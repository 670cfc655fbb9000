import assert from "node:assert/strict";
import { once } from "node:events";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { seededRandom } from "../../../lib/random.ts";
import { VirtualClock } from "../../../lib/virtual-clock.ts";
import { createAuthority, generateKeyPem, publicKeyOf } from "../../pki/certificate-authority.ts";
import { createFetchDocument } from "./fetch-document.ts";

const PAGES: Readonly<Record<string, string>> = {
  "/good": '{"a":1}',
  "/text": "hello",
  "/large": `"${"x".repeat(1024 * 1024)}"`,
};

test("documents come from whom an authority vouches for, and only whole ones", async () => {
  const clock = new VirtualClock(Date.now());
  const sources = { clock, random: seededRandom(1), keyPem: generateKeyPem() };
  const authority = createAuthority("issuers", sources);
  const key = generateKeyPem();
  const cert = authority.issue({
    subject: { commonName: "issuer", organizations: [] },
    usages: ["server"],
    ipAddresses: ["127.0.0.1"],
    lifetimeMs: 86_400_000,
    publicKey: publicKeyOf(key),
  });
  const server = https.createServer({ cert, key }, ({ url = "" }, response) => {
    if (url === "/never") return;
    response.writeHead(url in PAGES ? 200 : 404).end(PAGES[url]);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const caPem = authority.pem.certPem;
  const fetch = createFetchDocument(clock);
  const get = (path: string, ca: string | undefined = caPem) =>
    fetch(`https://127.0.0.1:${port}${path}`, { caPem: ca });
  try {
    assert.deepEqual(await get("/good"), { a: 1 });
    await assert.rejects(get("/none"), /Cannot get .*\/none: it answers 404/);
    await assert.rejects(get("/text"), /the answer is no JSON/);
    await assert.rejects(get("/large"), /the answer is too large/);
    await assert.rejects(
      fetch(`https://127.0.0.1:${port}/good`, { caPem: undefined }),
      /certificate/,
    );
    const asked = once(server, "request");
    const late = assert.rejects(get("/never"), /it takes too long/);
    await asked;
    await clock.advance(10_000);
    await late;
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

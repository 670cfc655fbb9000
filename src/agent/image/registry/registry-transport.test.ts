import assert from "node:assert/strict";
import { test } from "node:test";
import { createProxyRules } from "./proxy-rules.ts";
import { createRegistryTransport } from "./registry-transport.ts";

const tls = { isUnverified: false };
const proxies = createProxyRules({});
const url = new URL("http://registry.example/v2/");
const failing = (code: string) =>
  createRegistryTransport({
    tls,
    proxies,
    lookup: (name, _options, done) =>
      done(Object.assign(new Error(`getaddrinfo ${code} ${name}`), { code }), ""),
  });

test("a name server that says nothing ends the wait for a connection", async () => {
  using transport = createRegistryTransport({ tls, proxies, connectMs: 20, lookup: () => {} });
  // As a real lookup does, it keeps the process alive; timers of sockets do not.
  const lookup = setTimeout(() => {}, 60_000);
  try {
    await assert.rejects(transport.send({ method: "GET", url, headers: {} }), {
      code: "unreached",
      message: "registry registry.example was not reached: no answer of a name server in 20 ms",
    });
  } finally {
    clearTimeout(lookup);
  }
});

test("why a registry is not reached is told in words", async () => {
  const reasons = [
    ["EAI_AGAIN", /: no name server answers \(getaddrinfo EAI_AGAIN registry.example\)$/],
    ["ENOTFOUND", /: its name is unknown \(/],
    ["ENETUNREACH", /: this machine has no way to it \(/],
  ] as const;
  for (const [code, message] of reasons) {
    using transport = failing(code);
    const sent = transport.send({ method: "GET", url, headers: {} });
    await assert.rejects(sent, { code: "unreached", message });
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { createProxyRules, readProxyEnvironment } from "./proxy-rules.ts";

const httpProxy = "http://plain.example:3128";
const httpsProxy = "http://secure.example:3129";

/** Whether `url` is asked through a proxy with these exceptions. */
function isProxied(noProxy: string, url: string): boolean {
  const rules = createProxyRules({ httpProxy, httpsProxy, noProxy });
  return rules.proxyFor(new URL(url)) !== undefined;
}

test("exceptions are those of Go's programs", () => {
  const cases: [noProxy: string, url: string, isProxied: boolean][] = [
    ["", "https://registry.example", true],
    ["", "http://localhost:5000", false],
    ["", "http://127.1.2.3:5000", false],
    ["", "http://[::1]:5000", false],
    ["*", "https://registry.example", false],
    ["registry.example", "https://registry.example", false],
    ["registry.example", "https://eu.registry.example", false],
    ["registry.example", "https://myregistry.example", true],
    [".registry.example", "https://registry.example", true],
    [".registry.example", "https://eu.registry.example", false],
    ["*.registry.example", "https://registry.example", true],
    ["*.registry.example", "https://eu.registry.example", false],
    [" other.example , Registry.EXAMPLE ,,", "https://registry.example", false],
    ["registry.example:443", "https://registry.example", false],
    ["registry.example:443", "https://registry.example:5000", true],
    ["registry.example:80", "http://registry.example", false],
    [".example:5000", "https://registry.example:5000", false],
    ["10.0.0.1", "http://10.0.0.1:5000", false],
    ["10.0.0.1:5000", "http://10.0.0.1:5000", false],
    ["10.0.0.1:5001", "http://10.0.0.1:5000", true],
    ["10.0.0.0/8", "http://10.200.0.1:5000", false],
    ["10.0.0.0/16", "http://10.200.0.1:5000", true],
    ["10.0.0.0/8", "http://ten.example", true],
    ["10.0.0.0/99", "http://10.0.0.1", true],
    ["fd00::/8", "http://[fd12::1]:5000", false],
    ["fd00::/8", "http://[fe80::1]:5000", true],
    ["fd12:0:0::1", "http://[fd12::1]:5000", false],
    ["[fd12::1]:5000", "http://[fd12::1]:5000", false],
    ["[fd12::1]:5001", "http://[fd12::1]:5000", true],
    [":5000", "https://registry.example:5000", true],
  ];
  for (const [noProxy, url, expected] of cases) {
    assert.equal(isProxied(noProxy, url), expected, `NO_PROXY="${noProxy}" ${url}`);
  }
});

test("each scheme has its proxy, whose user is no part of its address", () => {
  const rules = createProxyRules({ httpProxy: "me:se%40cret@plain.example:3128", httpsProxy });
  const plain = rules.proxyFor(new URL("http://registry.example"));
  assert.equal(plain?.url.href, "http://plain.example:3128/");
  const proof = Buffer.from("me:se@cret").toString("base64");
  assert.equal(plain?.authorization, `Basic ${proof}`);
  const secure = rules.proxyFor(new URL("https://registry.example"));
  assert.equal(secure?.url.href, "http://secure.example:3129/");
  assert.equal(secure?.authorization, undefined);
  assert.equal(createProxyRules({ httpProxy }).proxyFor(new URL("https://a.example")), undefined);
});

test("what is no address of a proxy is told when it is needed, without its value", () => {
  const rules = createProxyRules({ httpsProxy: "socks5://me:secret@proxy.example" });
  assert.equal(rules.proxyFor(new URL("http://registry.example")), undefined);
  assert.throws(() => rules.proxyFor(new URL("https://registry.example")), {
    code: "malformed",
    message: 'the variable HTTPS_PROXY must be an address such as "http://proxy.example:3128"',
  });
});

test("the environment is read in upper case first", () => {
  const both = { HTTPS_PROXY: "upper", https_proxy: "lower", http_proxy: "plain", NO_PROXY: "" };
  assert.deepEqual(readProxyEnvironment({ ...both, no_proxy: "a" }), {
    httpProxy: "plain",
    httpsProxy: "upper",
    noProxy: "a",
  });
});

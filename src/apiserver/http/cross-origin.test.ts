import assert from "node:assert/strict";
import { test } from "node:test";
import { startHttpsServer } from "../api-server-fixture.ts";
import { requireAnchored } from "./cross-origin.ts";

test("allowed origins may read answers, and preflights need no credentials", async () => {
  const corsAllowedOrigins = ["//example\\.com(:|$)"];
  await using server = await startHttpsServer(Date.now(), { corsAllowedOrigins });
  const ask = (origin: string, method = "GET") =>
    server.http("/api/v1/namespaces/x/pods", {
      method,
      headers: { origin },
      anonymous: method === "OPTIONS",
    });
  const allowed = await ask("https://example.com:8443");
  assert.equal(allowed.status, 200);
  assert.equal(allowed.headers["access-control-allow-origin"], "https://example.com:8443");
  assert.equal(allowed.headers["access-control-allow-credentials"], "true");
  assert.ok(allowed.headers["audit-id"]);
  const preflight = await ask("https://example.com", "OPTIONS");
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers["access-control-allow-methods"] ?? "", /PATCH/);
  for (const origin of ["https://example.com.evil.org", "https://bad-example.com", "null"]) {
    const other = await ask(origin);
    assert.equal(other.status, 200);
    assert.equal(other.headers["access-control-allow-origin"], undefined, origin);
    assert.notEqual((await ask(origin, "OPTIONS")).status, 204);
  }
});

test("a pattern that would match parts of hosts is refused", () => {
  for (const pattern of ["^https://a\\.example(:|$)", "//a.example:", "//(a|b)$", "(^|//)a$"]) {
    requireAnchored(pattern);
  }
  assert.throws(() => requireAnchored("example.com$"), /must begin with "\^" or "\/\/"/);
  assert.throws(() => requireAnchored("//example.com"), /must end with "\$" or ":"/);
  assert.throws(() => requireAnchored("^https://(a$"));
});

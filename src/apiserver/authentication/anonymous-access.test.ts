import assert from "node:assert/strict";
import { test } from "node:test";
import { ANONYMOUS_ANYWHERE, isOpen, readAnonymousAccess } from "./anonymous-access.ts";
import { ANONYMOUS, authenticateRequest } from "./authentication.ts";

test("without a word anonymous users may ask, with one only for what it says", () => {
  assert.equal(readAnonymousAccess({ jwt: [] }), ANONYMOUS_ANYWHERE);
  const off = readAnonymousAccess({ anonymous: { enabled: false } });
  assert.equal(isOpen(off, "/livez"), false);
  const all = readAnonymousAccess({ anonymous: { enabled: true } });
  assert.equal(isOpen(all, "/api/v1/pods"), true);
  const conditions = [{ path: "/livez" }, { path: "/version" }];
  const some = readAnonymousAccess({ anonymous: { enabled: true, conditions } });
  assert.deepEqual(
    ["/livez", "/version", "/livez/ping", "/healthz"].map((path) => isOpen(some, path)),
    [true, true, false, false],
  );
});

test("what is said wrongly is named", () => {
  const cases: [anonymous: unknown, why: RegExp][] = [
    [{ enabled: "yes" }, /anonymous.enabled must be true or false/],
    [{ enabled: false, conditions: [{ path: "/a" }] }, /anonymous.conditions must be left out/],
    [{ conditions: [{ path: "/a" }] }, /anonymous.conditions must be left out/],
    [{ enabled: true, conditions: [{}] }, /anonymous.conditions\[0\].path must be set/],
    [{ enabled: true, paths: [] }, /anonymous.paths is not known/],
    [true, /anonymous must be an object/],
  ];
  for (const [anonymous, why] of cases) {
    assert.throws(() => readAnonymousAccess({ anonymous }), why);
  }
});

test("a certificate of somebody else's makes nobody anonymous", () => {
  const anonymous = () => true;
  const path = "/version";
  assert.equal(authenticateRequest([], { credentials: {}, path, anonymous }), ANONYMOUS);
  const credentials = { isUntrusted: true };
  assert.throws(() => authenticateRequest([], { credentials, path, anonymous }), { code: 401 });
});

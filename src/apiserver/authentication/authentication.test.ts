import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { encodeCertificate } from "../../format/x509/certificate-codec.ts";
import type { Clock } from "../../lib/clock.ts";
import { SECRETS } from "../../api/generated/resources.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import type { AccessRequest, Remarks, UserInfo } from "../contract.ts";
import type { LegacyToken, TokenChecker } from "../token/token-verifier.ts";
import { ANONYMOUS, authenticateRequest, createAuthenticators } from "./authentication.ts";
import { impersonate, impersonationOf } from "./impersonation.ts";
import { reviewSelf, reviewToken } from "./token-reviews.ts";

const NOW = Date.UTC(2026, 5, 1);
const clock: Clock = { now: () => NOW, monotonicMs: () => 0, setTimer: () => ({ cancel() {} }) };
const BOT: UserInfo = {
  name: "system:serviceaccount:a:bot",
  uid: "1",
  groups: ["system:serviceaccounts"],
};
const verifier: TokenChecker = {
  verify: (token) =>
    token === "good"
      ? { user: BOT, audiences: ["api"] }
      : token === "old"
        ? { error: "expired" }
        : undefined,
};
const reader = memoryReader();
const authenticators = createAuthenticators({ clock, verifier, reader });

function certificate(notAfterMs: number): Uint8Array {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const fields = {
    serial: Uint8Array.of(1),
    subject: { commonName: "jane", organizations: ["dev", "ops"] },
    issuer: { commonName: "ca", organizations: [] },
    notBeforeMs: NOW - 1000,
    notAfterMs,
    publicKey: publicKey.export({ type: "spki", format: "der" }),
    subjectKeyId: Uint8Array.of(1),
    authorityKeyId: Uint8Array.of(2),
    isAuthority: false,
  };
  return encodeCertificate(fields, (tbs) => sign("sha256", tbs, privateKey));
}

const ask = async (credentials: object, path = "/api/v1/pods") =>
  authenticateRequest(authenticators, { credentials, path });

test("a certificate names user and groups", async () => {
  const user = await ask({ clientCertificate: certificate(NOW + 1000) });
  assert.equal(user.name, "jane");
  assert.deepEqual(user.groups, ["dev", "ops", "system:authenticated"]);
});

test("a certificate that ended on a living connection is refused", async () => {
  await assert.rejects(ask({ clientCertificate: certificate(NOW - 1000) }), { code: 401 });
  await assert.rejects(ask({ clientCertificate: Uint8Array.of(1, 2) }), { code: 401 });
});

test("a bootstrap token is good while its Secret says so", async () => {
  const token = "Bearer abcdef.0123456789abcdef";
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const put = (more: Record<string, string>) => {
    const data = {
      "token-id": "abcdef",
      "token-secret": "0123456789abcdef",
      "usage-bootstrap-authentication": "true",
      "auth-extra-groups": "system:bootstrappers:workers",
      ...more,
    };
    memory.put(SECRETS, {
      metadata: { name: "bootstrap-token-abcdef", namespace: "kube-system" },
      type: "bootstrap.kubernetes.io/token",
      data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])),
    });
  };
  const memory = memoryReader();
  const known = createAuthenticators({ clock, verifier, reader: memory });
  const join = async (authorization = token) =>
    authenticateRequest(known, { credentials: { authorization }, path: "/api" });
  await assert.rejects(join(), { code: 401 });
  put({ expiration: new Date(NOW + 1000).toISOString() });
  const user = await join();
  assert.equal(user.name, "system:bootstrap:abcdef");
  assert.deepEqual(user.groups, [
    "system:bootstrappers",
    "system:bootstrappers:workers",
    "system:authenticated",
  ]);
  await assert.rejects(join("Bearer abcdef.0123456789abcdee"), { code: 401 });
  for (const bad of [
    { expiration: new Date(NOW - 1000).toISOString() },
    { expiration: "soon" },
    { "usage-bootstrap-authentication": "false" },
    { "auth-extra-groups": "system:masters" },
    { "token-id": "abcdee" },
  ]) {
    put(bad);
    await assert.rejects(join(), { code: 401 });
  }
});

test("a bearer token names a service account", async () => {
  assert.equal((await ask({ authorization: "Bearer good" })).name, BOT.name);
  for (const authorization of ["Bearer old", "Bearer bad", "Basic good", "Bearer"]) {
    await assert.rejects(ask({ authorization }), { code: 401 }, authorization);
  }
});

test("a token without end is told of: to its client where it was made for the account", async () => {
  const legacy: LegacyToken = { namespace: "a", secret: "bot-token", use: "manual" };
  const checker: TokenChecker = {
    verify: () =>
      legacy.use === "invalid"
        ? { error: "marked", legacy }
        : { user: BOT, audiences: ["x"], legacy },
  };
  const known = createAuthenticators({ clock, verifier: checker, reader: memoryReader() });
  const remarksOf = async (use: LegacyToken["use"]) => {
    legacy.use = use;
    const remarks: Remarks = { warnings: [] };
    const credentials = { authorization: "Bearer x", remarks };
    await Promise.resolve()
      .then(() => authenticateRequest(known, { credentials, path: "/api" }))
      .catch(() => {});
    return remarks;
  };
  const annotation = "authentication.k8s.io/legacy-token-";
  assert.deepEqual(await remarksOf("manual"), {
    warnings: [],
    annotations: { [`${annotation}manual-secret`]: "bot-token" },
  });
  assert.deepEqual(await remarksOf("auto-generated"), {
    warnings: [
      "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.",
    ],
    annotations: { [`${annotation}autogenerated-secret`]: "bot-token" },
  });
  assert.deepEqual(await remarksOf("invalid"), {
    warnings: [],
    annotations: { [`${annotation}invalidated`]: "bot-token/a" },
  });
});

test("what is no bearer token is no credential, one that is not good is nobody's", async () => {
  for (const authorization of ["Basic good", "Bearer", "Bearer  good", "Negotiate x", " "]) {
    assert.equal(await ask({ authorization }, "/readyz"), ANONYMOUS, authorization);
  }
  for (const authorization of ["Bearer bad", "bearer bad", " Bearer bad more "]) {
    await assert.rejects(ask({ authorization }, "/readyz"), { code: 401 }, authorization);
  }
});

test("nobody is anonymous but for health", async () => {
  assert.equal(await ask({}, "/readyz"), ANONYMOUS);
  assert.equal(await ask({}, "/livez/ping"), ANONYMOUS);
  await assert.rejects(ask({}, "/version"), { reason: "Unauthorized" });
  await assert.rejects(ask({}, "/healthzz"), { reason: "Unauthorized" });
});

test("impersonation reads every header and asks for each part", () => {
  const asked = impersonationOf([
    "Impersonate-User",
    "bob",
    "Impersonate-Group",
    "dev",
    "impersonate-group",
    "ops",
    "Impersonate-Uid",
    "7",
    "Impersonate-Extra-Acme.com%2Fteam",
    "blue",
  ]);
  assert.ok(asked);
  const seen: AccessRequest[] = [];
  const allow = {
    authorize: (request: AccessRequest) => {
      seen.push(request);
      return { allowed: true, reason: "" };
    },
  };
  const user = impersonate({ name: "root", groups: [] }, asked, allow);
  assert.deepEqual(user, {
    name: "bob",
    uid: "7",
    groups: ["dev", "ops", "system:authenticated"],
    extra: { "acme.com/team": ["blue"] },
  });
  assert.deepEqual(
    seen.map(({ resource, subresource, name }) =>
      [resource, subresource, name].filter(Boolean).join(" "),
    ),
    ["users bob", "groups dev", "groups ops", "uids 7", "userextras acme.com/team blue"],
  );
});

test("impersonation is refused part by part", () => {
  const authorizer = {
    authorize: ({ resource }: AccessRequest) => ({ allowed: resource !== "groups", reason: "" }),
  };
  const root = { name: "root", groups: [] };
  const asked = { user: "bob", uid: "", groups: ["system:masters"], extra: {} };
  assert.throws(() => impersonate(root, asked, authorizer), { code: 403 });
  assert.equal(impersonate(root, { ...asked, groups: [] }, authorizer).name, "bob");
  assert.throws(() => impersonationOf(["Impersonate-Group", "dev"]), { code: 400 });
  assert.equal(impersonationOf(["Accept", "x"]), undefined);
});

test("a service account brings its groups", () => {
  const authorizer = { authorize: () => ({ allowed: true, reason: "" }) };
  const asked = { user: BOT.name, uid: "", groups: [], extra: {} };
  assert.deepEqual(impersonate({ name: "root", groups: [] }, asked, authorizer).groups, [
    "system:serviceaccounts",
    "system:serviceaccounts:a",
    "system:authenticated",
  ]);
});

test("reviews tell whose token it is, and who asks", async () => {
  const review = async (token: string) => (await reviewToken(verifier, { spec: { token } })).status;
  assert.equal((await review("good"))?.user?.username, BOT.name);
  assert.deepEqual(await review("old"), {
    authenticated: false,
    user: {},
    error: "expired",
  });
  assert.equal(reviewSelf(BOT, clock).status?.userInfo?.username, BOT.name);
});

import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { NODES, PODS, SECRETS, SERVICE_ACCOUNTS } from "../../api/generated/resources.ts";
import type { Clock } from "../../lib/clock.ts";
import { seededRandom } from "../../lib/random.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import type { TokenIssueRequest } from "../contract.ts";
import { parseToken, signToken } from "./jwt-codec.ts";
import { splitPath } from "../request/query.ts";
import { issueLegacyToken } from "./legacy-token.ts";
import { oidcPages } from "./oidc-pages.ts";
import {
  createTokenIssuer,
  DEFAULT_ISSUER,
  type LegacyUse,
  type TokenSources,
} from "./token-issuer.ts";
import { jwksDocument, openidConfiguration, readTokenKeys } from "./token-keys.ts";
import { createTokenVerifier } from "./token-verifier.ts";

const ACCOUNT = { namespace: "a", name: "bot" };

function newKeyPem(type: "ec" | "rsa" = "ec"): string {
  const { privateKey } =
    type === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs8", format: "pem" }) as string;
}

const EC_KEY = newKeyPem();

function setup(keyPem: string = EC_KEY) {
  let now = Date.UTC(2026, 5, 1);
  const clock: Clock = {
    now: () => now,
    monotonicMs: () => now,
    setTimer: () => ({ cancel: () => {} }),
  };
  const reader = memoryReader();
  reader.put(SERVICE_ACCOUNTS, { metadata: { ...ACCOUNT, uid: "sa-1" } });
  reader.put(NODES, { metadata: { name: "n1", uid: "node-1" } });
  reader.put(PODS, {
    metadata: { name: "web", namespace: "a", uid: "pod-1" },
    spec: { serviceAccountName: "bot", nodeName: "n1", containers: [] },
  });
  const sources: TokenSources = {
    keys: readTokenKeys(keyPem),
    reader,
    clock,
    random: seededRandom(1),
    issuer: DEFAULT_ISSUER,
  };
  return {
    ...sources,
    reader,
    issuer: createTokenIssuer(sources),
    verifier: createTokenVerifier(sources),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const podBinding = { kind: "Pod", name: "web", uid: "pod-1" };

function requestOf(spec: Partial<TokenIssueRequest>): TokenIssueRequest {
  const serviceAccount = { name: "bot", uid: "sa-1" };
  return { namespace: "a", serviceAccount, audiences: [], expirationSeconds: 3600, ...spec };
}

async function tokenOf(
  world: ReturnType<typeof setup>,
  spec: Partial<TokenIssueRequest> = {},
): Promise<string> {
  return (await world.issuer.issue(requestOf(spec))).token;
}

for (const type of ["ec", "rsa"] as const) {
  test(`a bound token of an ${type} key names account, pod and node`, async () => {
    const world = setup(newKeyPem(type));
    const verdict = world.verifier.verify(await tokenOf(world, { bound: podBinding }), []);
    assert.ok(verdict?.user);
    assert.equal(verdict.user.name, "system:serviceaccount:a:bot");
    assert.equal(verdict.user.uid, "sa-1");
    assert.deepEqual(verdict.user.groups, ["system:serviceaccounts", "system:serviceaccounts:a"]);
    const extra = verdict.user.extra ?? {};
    assert.deepEqual(extra["authentication.kubernetes.io/pod-name"], ["web"]);
    assert.deepEqual(extra["authentication.kubernetes.io/node-name"], ["n1"]);
    assert.deepEqual(verdict.audiences, [DEFAULT_ISSUER]);
  });
}

test("a token ends with its time, its pod, its account", async () => {
  const cases: [(world: ReturnType<typeof setup>) => void, RegExp][] = [
    [(world) => world.pass(3600_000), /expired/],
    [(world) => world.reader.remove(PODS, { namespace: "a", name: "web" }), /pod has been deleted/],
    [(world) => world.reader.remove(SERVICE_ACCOUNTS, ACCOUNT), /service account has been deleted/],
    [
      (world) => world.reader.put(SERVICE_ACCOUNTS, { metadata: { ...ACCOUNT, uid: "sa-2" } }),
      /service account has been deleted/,
    ],
  ];
  for (const [end, why] of cases) {
    const world = setup();
    const token = await tokenOf(world, { bound: podBinding });
    assert.ok(world.verifier.verify(token, [])?.user);
    end(world);
    const verdict = world.verifier.verify(token, []);
    assert.ok(verdict && !verdict.user);
    assert.match(verdict.error, why);
  }
});

test("a token is good for its audience only", async () => {
  const world = setup();
  const token = await tokenOf(world, { audiences: ["vault"] });
  assert.equal(world.verifier.verify(token, [])?.user, undefined);
  const verdict = world.verifier.verify(token, ["vault", "other"]);
  assert.ok(verdict?.user);
  assert.deepEqual(verdict.audiences, ["vault"]);
});

test("a foreign key, a changed claim and the algorithm none are refused", async () => {
  const world = setup();
  const token = await tokenOf(world);
  const [head = "", body = "", tail = ""] = token.split(".");
  const none = Buffer.from('{"alg":"none"}').toString("base64url");
  const claims = { ...parseToken(token)?.claims, sub: "system:serviceaccount:kube-system:admin" };
  const forged = Buffer.from(JSON.stringify(claims)).toString("base64url");
  const foreign = signToken(parseToken(token)?.claims ?? {}, readTokenKeys(newKeyPem()).signing);
  for (const bad of [`${none}.${body}.${tail}`, `${head}.${forged}.${tail}`, foreign, "x", ""]) {
    assert.equal(world.verifier.verify(bad, []), undefined);
  }
});

test("an older key still checks its tokens", async () => {
  const old = setup();
  const token = await tokenOf(old);
  const keys = readTokenKeys(newKeyPem(), [EC_KEY]);
  const verifier = createTokenVerifier({ ...old, keys, issuer: DEFAULT_ISSUER });
  assert.ok(verifier.verify(token, [])?.user);
});

test("a legacy token lives as long as its Secret", async () => {
  const world = setup();
  const token = issueLegacyToken(world.keys, { ...ACCOUNT, uid: "sa-1", secretName: "bot-token" });
  assert.equal(world.verifier.verify(token, [])?.user, undefined);
  const data = { token: Buffer.from(token).toString("base64") };
  world.reader.put(SECRETS, { metadata: { name: "bot-token", namespace: "a" }, data });
  assert.equal(world.verifier.verify(token, [])?.user?.name, "system:serviceaccount:a:bot");
});

test("a legacy token that is marked as invalid is refused, and each use is told of", async () => {
  const world = setup();
  const uses: [string | undefined, LegacyUse][] = [];
  const verifier = createTokenVerifier({
    ...world,
    issuer: DEFAULT_ISSUER,
    legacyUsed: ({ metadata }, use) => uses.push([metadata?.name, use]),
  });
  const token = issueLegacyToken(world.keys, { ...ACCOUNT, uid: "sa-1", secretName: "bot-token" });
  const data = { token: Buffer.from(token).toString("base64") };
  const metadata = { name: "bot-token", namespace: "a" };
  world.reader.put(SECRETS, { metadata, data });
  assert.ok(verifier.verify(token, [])?.user);
  const account = { metadata: { ...ACCOUNT, uid: "sa-1" }, secrets: [{ name: "bot-token" }] };
  world.reader.put(SERVICE_ACCOUNTS, account);
  assert.equal(verifier.verify(token, [])?.legacy?.use, "auto-generated");
  const labels = { "kubernetes.io/legacy-token-invalid-since": "2026-01-31" };
  world.reader.put(SECRETS, { metadata: { ...metadata, labels }, data });
  const verdict = verifier.verify(token, []);
  assert.equal(verdict?.user, undefined);
  assert.match(
    (verdict as { error: string }).error,
    /^the token in secret a\/bot-token for service account a\/bot has been marked invalid\. /,
  );
  assert.deepEqual(uses, [
    ["bot-token", "manual"],
    ["bot-token", "auto-generated"],
    ["bot-token", "invalid"],
  ]);
});

test("requests that break a rule are refused", async () => {
  const world = setup();
  const cases: [Partial<TokenIssueRequest>, object][] = [
    [{ expirationSeconds: 599 }, { message: /less than 10 minutes/ }],
    [{ expirationSeconds: 2 ** 32 + 1 }, { message: /larger than 2\^32 seconds/ }],
    [{ bound: { ...podBinding, uid: "x" } }, { reason: "Conflict" }],
    [{ bound: { ...podBinding, name: "x" } }, { reason: "NotFound" }],
    [{ bound: { ...podBinding, kind: "Service" } }, { reason: "BadRequest" }],
    [{ serviceAccount: { name: "x", uid: "" } }, { message: 'serviceaccounts "x" not found' }],
    [{ serviceAccount: { name: "bot", uid: "old" } }, { reason: "Conflict" }],
  ];
  for (const [spec, refusal] of cases) {
    await assert.rejects(world.issuer.issue(requestOf(spec)), refusal);
  }
});

test("the published keys check the tokens", async () => {
  const world = setup();
  const { keys } = jwksDocument(world.keys) as { keys: Record<string, string>[] };
  assert.equal(keys[0]?.["alg"], "ES256");
  const published = createPublicKey({ key: keys[0] ?? {}, format: "jwk" });
  assert.ok(published.equals(createPublicKey(EC_KEY)));
  const where = { issuer: DEFAULT_ISSUER, jwksUri: `${DEFAULT_ISSUER}/openid/v1/jwks` };
  assert.deepEqual(
    (openidConfiguration(world.keys, where) as Record<string, unknown>)[
      "id_token_signing_alg_values_supported"
    ],
    ["ES256"],
  );
});

test("the pages of discovery lead to the keys", async () => {
  const { keys } = setup();
  const pages = oidcPages(keys, { issuer: DEFAULT_ISSUER, serverUrl: "https://10.96.0.1" });
  const read = async (path: string) => {
    const page = await pages(path, { query: splitPath("").query, accept: undefined });
    return JSON.parse(Buffer.from(page?.bytes ?? []).toString()) as Record<string, unknown>;
  };
  const { issuer, jwks_uri: uri } = await read("/.well-known/openid-configuration");
  assert.equal(issuer, DEFAULT_ISSUER);
  assert.deepEqual(await read(new URL(String(uri)).pathname), jwksDocument(keys));
});

test("no text makes the parser throw", async () => {
  fc.assert(fc.property(fc.string(), (text) => void parseToken(text)));
  fc.assert(
    fc.property(fc.json(), fc.json(), (head, body) => {
      const encode = (text: string) => Buffer.from(text).toString("base64url");
      parseToken(`${encode(head)}.${encode(body)}.AA`);
    }),
  );
});

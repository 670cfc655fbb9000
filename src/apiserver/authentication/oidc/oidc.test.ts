import assert from "node:assert/strict";
import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { test } from "node:test";
import { silentLogger } from "../../../lib/logger.ts";
import { VirtualClock } from "../../../lib/virtual-clock.ts";
import type { TokenChecker } from "../../token/token-verifier.ts";
import { readIssuers } from "./issuer-configuration.ts";
import { type IssuerFlags, issuerOfFlags } from "./issuer-flags.ts";
import { withIssuers } from "./issuer-verifier.ts";

const NOW_MS = Date.UTC(2025, 5, 1);
const NOW_S = NOW_MS / 1000;
const URL = "https://login.example.com";
const OWN = "https://kubernetes.default.svc.cluster.local";
const AUDIENCE = "kubernetes";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const other = generateKeyPairSync("rsa", { modulusLength: 2048 });

const HEAD = {
  apiVersion: "apiserver.config.k8s.io/v1beta1",
  kind: "AuthenticationConfiguration",
};
const ISSUER = { url: URL, audiences: [AUDIENCE] };
const BY_CLAIMS = {
  username: { claim: "sub", prefix: "example:" },
  groups: { claim: "teams", prefix: "team:" },
};

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

function tokenOf(claims: object, of: { key?: KeyObject; kid?: string; alg?: string } = {}): string {
  const { key = rsa.privateKey, kid = "one", alg = "RS256" } = of;
  const text = `${encode({ alg, kid })}.${encode({ ...CLAIMS, ...claims })}`;
  const options = alg.startsWith("PS")
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { dsaEncoding: "ieee-p1363" as const };
  const made = sign(`sha${alg.slice(2)}`, Buffer.from(text), { key, ...options });
  return `${text}.${made.toString("base64url")}`;
}

const CLAIMS = { iss: URL, aud: AUDIENCE, exp: NOW_S + 600, sub: "ann", teams: ["a", "b"] };

/** An issuer whose keys can be changed, and how often it was asked for them. */
function issuerOf(jwt: object = { claimMappings: BY_CLAIMS }) {
  const clock = new VirtualClock(NOW_MS);
  const jwk = (key: KeyObject, more: object) => ({ ...key.export({ format: "jwk" }), ...more });
  const served = {
    keys: [jwk(rsa.publicKey, { kid: "one", use: "sig" }), jwk(p256.publicKey, { kid: "two" })],
    asked: 0,
    isAway: false,
  };
  const fetch = async (url: string): Promise<unknown> => {
    if (served.isAway) throw new Error("nobody answers");
    if (url === `${URL}/keys`) return { keys: served.keys };
    assert.equal(url, `${URL}/.well-known/openid-configuration`);
    served.asked++;
    return { issuer: URL, jwks_uri: `${URL}/keys` };
  };
  const own: TokenChecker = { verify: () => undefined };
  const issuers = readIssuers({ ...HEAD, jwt: [{ issuer: ISSUER, ...jwt }] }, OWN);
  const parts = { fetch, clock, logger: silentLogger, audiences: [OWN] };
  const checker = withIssuers(own, parts);
  checker.use(issuers);
  return {
    clock,
    served,
    jwk,
    use: checker.use,
    verify: async (token: string) => checker.verify(token, []),
  };
}

test("a token of an outside issuer names a user by its claims", async () => {
  const { verify, served } = issuerOf();
  const verdict = await verify(tokenOf({ jti: "7" }));
  assert.deepEqual(verdict, {
    user: {
      name: "example:ann",
      groups: ["team:a", "team:b"],
      extra: { "authentication.kubernetes.io/credential-id": ["JTI=7"] },
    },
    audiences: [OWN],
  });
  assert.deepEqual((await verify(tokenOf({ teams: "only" })))?.user?.groups, ["team:only"]);
  assert.deepEqual((await verify(tokenOf({ teams: undefined })))?.user?.groups, []);
  assert.equal(served.asked, 1);
  for (const alg of ["RS384", "RS512", "PS256", "PS384", "PS512"]) {
    assert.ok((await verify(tokenOf({}, { alg })))?.user, alg);
  }
  const elliptic = { key: p256.privateKey, kid: "two", alg: "ES256" };
  assert.ok((await verify(tokenOf({}, elliptic)))?.user);
});

test("tokens that are not what they should be let nobody in", async () => {
  const { verify } = issuerOf();
  const [head = "", , tail = ""] = tokenOf({}).split(".");
  const cases: Record<string, string> = {
    "another audience": tokenOf({ aud: ["x", "y"] }),
    "past its end": tokenOf({ exp: NOW_S }),
    "without an end": tokenOf({ exp: undefined }),
    "not valid yet": tokenOf({ nbf: NOW_S + 301 }),
    "of another key": tokenOf({}, { key: other.privateKey }),
    "of an algorithm that the key is not for": tokenOf({}, { kid: "two" }),
    "changed after it was signed": [head, encode({ ...CLAIMS, sub: "bob" }), tail].join("."),
    "signed by nobody": `${encode({ alg: "none" })}.${encode(CLAIMS)}.AA`,
    "signed with a public key as a secret": `${encode({ alg: "HS256" })}.${encode(CLAIMS)}.AA`,
    "without a name": tokenOf({ sub: undefined }),
    "with an empty name": tokenOf({ sub: "" }),
    "with groups that are no texts": tokenOf({ teams: [1] }),
  };
  for (const [title, token] of Object.entries(cases)) {
    const verdict = await verify(token);
    assert.ok(verdict && !verdict.user, title);
  }
  assert.equal(await verify(tokenOf({ iss: "https://other.example.com" })), undefined);
  assert.ok((await verify(tokenOf({ nbf: NOW_S + 299 })))?.user);
});

test("new keys are asked for when a token names one, but not all the time", async () => {
  const { verify, served, clock, jwk } = issuerOf();
  assert.ok((await verify(tokenOf({})))?.user);
  const fresh = tokenOf({}, { key: other.privateKey, kid: "three" });
  served.keys.push(jwk(other.publicKey, { kid: "three" }));
  assert.ok(!(await verify(fresh))?.user);
  assert.equal(served.asked, 1);
  await clock.advance(10_000);
  assert.ok((await verify(fresh))?.user);
  served.isAway = true;
  await clock.advance(60_000);
  assert.ok((await verify(tokenOf({})))?.user, "what is known stays known");
  assert.ok(!(await verify(tokenOf({}, { kid: "four" })))?.user);
});

test("a token that was good is looked at again after ten seconds, and at its end", async () => {
  const { verify, clock } = issuerOf();
  const token = tokenOf({ exp: NOW_S + 5 });
  const [first, second] = [await verify(token), await verify(token)];
  assert.equal(first?.user, second?.user);
  await clock.advance(5_000);
  assert.ok(!(await verify(token))?.user);
});

test("expressions make users of claims, and rules refuse them", async () => {
  const { verify } = issuerOf({
    claimValidationRules: [
      { claim: "hd", requiredValue: "example.com" },
      { expression: "claims.exp - claims.iat <= 3600", message: "longer than an hour" },
    ],
    claimMappings: {
      username: { expression: "claims.email_verified ? claims.email : ''" },
      groups: { expression: "claims.roles.split(',')" },
      uid: { claim: "sub" },
      extra: [{ key: "example.com/tenant", valueExpression: "claims.tenant" }],
    },
    userValidationRules: [
      { expression: "!user.username.startsWith('system:')", message: "a reserved name" },
    ],
  });
  const good = {
    hd: "example.com",
    iat: NOW_S - 60,
    email: "ann@example.com",
    email_verified: true,
    roles: "a,b",
    tenant: "blue",
  };
  assert.deepEqual((await verify(tokenOf(good)))?.user, {
    name: "ann@example.com",
    groups: ["a", "b"],
    uid: "ann",
    extra: { "example.com/tenant": ["blue"] },
  });
  const why = async (claims: object) => {
    const verdict = await verify(tokenOf({ ...good, ...claims }));
    return verdict?.user ? "" : verdict?.error;
  };
  assert.equal(await why({ hd: "example.org" }), 'the claim "hd" is not "example.com"');
  assert.equal(await why({ iat: NOW_S - 3600 }), "longer than an hour");
  assert.equal(await why({ email: "system:admin" }), "a reserved name");
  assert.equal(await why({ email_verified: false }), "the name of the user is empty");
  assert.match((await why({ tenant: undefined })) ?? "", /no such key: tenant/);
});

test("an address of mail that is not verified names nobody", async () => {
  const mappings = { username: { claim: "email", prefix: "" } };
  const { verify } = issuerOf({ claimMappings: mappings });
  const email = "ann@example.com";
  assert.equal((await verify(tokenOf({ email })))?.user?.name, email);
  assert.equal((await verify(tokenOf({ email, email_verified: true })))?.user?.name, email);
  assert.ok(!(await verify(tokenOf({ email, email_verified: false })))?.user);
  assert.ok(!(await verify(tokenOf({ email, email_verified: "true" })))?.user);
});

const USERNAME = { claim: "sub", prefix: "" };
const REFUSED: readonly [string, object, RegExp][] = [
  ["no address", { issuer: { audiences: ["a"] } }, /jwt\[0\]\.issuer\.url must be set/],
  ["http", { issuer: { ...ISSUER, url: "http://a" } }, /must begin with https:/],
  ["a query", { issuer: { ...ISSUER, url: `${URL}?a` } }, /neither query nor fragment/],
  ["this cluster", { issuer: { ...ISSUER, url: OWN } }, /this cluster's service accounts/],
  ["no audience", { issuer: { url: URL } }, /audiences must name at least one/],
  ["two audiences", { issuer: { url: URL, audiences: ["a", "b"] } }, /must be MatchAny/],
  ["no name", { claimMappings: {} }, /username needs a claim or an expression/],
  ["no prefix", { claimMappings: { username: { claim: "a" } } }, /prefix must be set/],
  ["both", { claimMappings: { username: { ...USERNAME, expression: "claims.a" } } }, /not both/],
  ["no expression", { claimMappings: { username: { expression: "1 +" } } }, /compilation failed/],
  ["a number", { claimMappings: { username: { expression: "1" } } }, /must evaluate to string/],
  [
    "mail that may be anybody's",
    { claimMappings: { username: { expression: "claims.email" } } },
    /must use claims\.email_verified/,
  ],
  [
    "a key of Kubernetes",
    {
      claimMappings: {
        username: USERNAME,
        extra: [{ key: "a.k8s.io/b", valueExpression: "claims.a" }],
      },
    },
    /must not be of Kubernetes' domains/,
  ],
  ["what is not known", { userValidationRule: [] }, /userValidationRule is not known/],
];

test("a configuration that could let the wrong ones in is refused", () => {
  const base = { issuer: ISSUER, claimMappings: { username: USERNAME } };
  assert.equal(readIssuers({ ...HEAD, jwt: [base] }, OWN).length, 1);
  for (const [title, change, message] of REFUSED) {
    const jwt = [{ ...base, ...change }];
    assert.throws(() => readIssuers({ ...HEAD, jwt }, OWN), { message }, title);
  }
  assert.throws(() => readIssuers({ ...HEAD, jwt: [base, base] }, OWN), /is there twice/);
  assert.throws(() => readIssuers({ ...HEAD, kind: "X", jwt: [] }, OWN), /wanted/);
});

test("flags describe an issuer as kube-apiserver's do", async () => {
  const { use, verify } = issuerOf();
  const flags = { issuerUrl: URL, clientId: AUDIENCE };
  const nameOf = async (more: Partial<IssuerFlags>, claims: object = {}) => {
    use([issuerOfFlags({ ...flags, ...more })]);
    const verdict = await verify(tokenOf(claims));
    return verdict && "error" in verdict ? verdict.error : verdict?.user.name;
  };
  assert.equal(await nameOf({}), `${URL}#ann`);
  assert.equal(await nameOf({ usernamePrefix: "-" }), "ann");
  assert.equal(await nameOf({ usernamePrefix: "x:" }), "x:ann");
  const email = { email: "ann@example.com", email_verified: true };
  assert.equal(await nameOf({ usernameClaim: "email" }, email), "ann@example.com");
  const unverified = { ...email, email_verified: false };
  assert.equal(await nameOf({ usernameClaim: "email" }, unverified), "email not verified");
  assert.match((await nameOf({ signingAlgorithms: ["ES256"] })) ?? "", /signed by RS256/);
  assert.equal(await nameOf({ requiredClaims: ["sub=ann"] }), `${URL}#ann`);
  assert.match((await nameOf({ requiredClaims: ["sub=bob"] })) ?? "", /sub/);
  use([issuerOfFlags({ ...flags, groupsClaim: "teams", groupsPrefix: "g:" })]);
  assert.deepEqual((await verify(tokenOf({})))?.user?.groups, ["g:a", "g:b"]);
  use([]);
  assert.equal(await verify(tokenOf({})), undefined, "an issuer may be taken away");
  const bad: [Partial<IssuerFlags>, RegExp][] = [
    [{ clientId: "" }, /must be given together/],
    [{ issuerUrl: "http://x" }, /https/],
    [{ signingAlgorithms: ["HS256"] }, /must be of RS256/],
    [{ requiredClaims: ["sub"] }, /key=value/],
  ];
  for (const [more, wanted] of bad) {
    assert.throws(() => issuerOfFlags({ ...flags, ...more }), wanted);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChallenges } from "./auth-challenge.ts";
import { parseReference } from "./reference.ts";
import { CredentialsError, credentialsFor, parseDockerConfig } from "./registry-credentials.ts";

const basic = (text: string) => Buffer.from(text).toString("base64");

function usersFor(keys: readonly string[], image: string): (string | undefined)[] {
  const auths = Object.fromEntries(keys.map((key) => [key, { auth: basic(`${key}:secret`) }]));
  const reference = parseReference(image);
  assert.ok(reference);
  const keyring = parseDockerConfig(JSON.stringify({ auths }));
  return credentialsFor(keyring, reference).map(({ username }) => username);
}

test("credentials are found by host, port, glob and path", () => {
  const cases: [key: string, image: string, found: boolean][] = [
    ["localhost:5000", "localhost:5000/a/b:1", true],
    ["localhost:5000", "localhost:5001/a/b:1", false],
    ["https://reg.example.com", "reg.example.com/a", true],
    ["https://reg.example.com/v2/", "reg.example.com/a", true],
    ["reg.example.com/team", "reg.example.com/team/a", true],
    ["reg.example.com/team", "reg.example.com/other/a", false],
    ["*.example.com", "reg.example.com/a", true],
    ["*.example.com", "a.reg.example.com/a", false],
    ["r*g*.example.com", "registry.example.com/a", true],
    ["r*gx.example.com", "registry.example.com/a", false],
    ["reg.*", "reg.example.com/a", false],
  ];
  for (const [key, image, found] of cases) {
    const auths = { [key]: { username: "me", password: "secret" } };
    const reference = parseReference(image);
    assert.ok(reference);
    const keyring = parseDockerConfig(JSON.stringify({ auths }));
    assert.equal(credentialsFor(keyring, reference).length === 1, found, `${key} for ${image}`);
  }
});

test("Docker Hub is known by the key that docker login writes", () => {
  const auths = { "https://index.docker.io/v1/": { username: "me", password: "secret" } };
  const keyring = parseDockerConfig(JSON.stringify(auths));
  const reference = parseReference("busybox");
  assert.ok(reference);
  assert.deepEqual(credentialsFor(keyring, reference), [{ username: "me", password: "secret" }]);
});

test("the longest path comes first", () => {
  const keys = ["reg.example.com", "reg.example.com/team/app", "reg.example.com/team"];
  assert.deepEqual(usersFor(keys, "reg.example.com/team/app:1"), [
    "reg.example.com/team/app",
    "reg.example.com/team",
    "reg.example.com",
  ]);
});

test("a password may hold colons, and an empty entry means nothing", () => {
  const auths = { a: { auth: basic("user:pa:ss") }, b: {}, c: { identitytoken: "token" } };
  assert.deepEqual(parseDockerConfig(JSON.stringify({ auths })), [
    { pattern: "a", credentials: { username: "user", password: "pa:ss" } },
    { pattern: "c", credentials: { identityToken: "token" } },
  ]);
});

test("malformed credentials are refused without quoting them", () => {
  const texts = ["secret", "[]", '{"auths":[]}', '{"a":1}', '{"a":{"auth":"c2VjcmV0"}}'];
  for (const text of [...texts, '{"a":{"password":{"secret":1},"username":"x"}}']) {
    assert.throws(
      () => parseDockerConfig(text),
      (error) => error instanceof CredentialsError && !error.message.includes("secret"),
      text,
    );
  }
});

test("challenges are told apart", () => {
  const parse = (header: string) =>
    parseChallenges(header).map(({ scheme, parameters }) => [
      scheme,
      Object.fromEntries(parameters),
    ]);
  assert.deepEqual(
    parse('Bearer realm="https://a/token",service="b, c",scope="repository:x:pull"'),
    [["bearer", { realm: "https://a/token", service: "b, c", scope: "repository:x:pull" }]],
  );
  assert.deepEqual(parse('Basic realm="a \\"b\\"", Bearer realm=x'), [
    ["basic", { realm: 'a "b"' }],
    ["bearer", { realm: "x" }],
  ]);
  assert.deepEqual(parse("Negotiate"), [["negotiate", {}]]);
  assert.deepEqual(parse(""), []);
  assert.deepEqual(parse('Bearer realm="never ends'), [
    ["bearer", {}],
    ["realm", {}],
  ]);
});

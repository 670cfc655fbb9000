import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, PodSecurityContext, Volume } from "../../api/generated/types/core-v1.ts";
import { type PayloadSources, payloadOf } from "./payload.ts";

const as = (...users: (number | undefined)[]): Container[] =>
  users.map((runAsUser, at) => ({
    name: `c${at}`,
    ...(runAsUser === undefined ? {} : { securityContext: { runAsUser } }),
  }));

function sourcesOf(containers: Container[], securityContext: PodSecurityContext): PayloadSources {
  return {
    pod: { spec: { containers, securityContext } },
    facts: { hostIp: "192.0.2.1", allocatable: {} },
    configMap: (name) => (name === "there" ? { data: { a: "1" } } : undefined),
    secret: (name) => (name === "there" ? { data: { a: "MQ==" } } : undefined),
    token: () => "token",
  };
}

/** Users of the containers, of the pod, its group, and who may read its token. */
const TOKENS: readonly [string, Container[], PodSecurityContext, string][] = [
  ["nobody in particular", as(undefined), {}, "644"],
  ["one user", as(1000, 1000), {}, "600 1000"],
  ["one user of the whole pod", as(undefined), { runAsUser: 1000 }, "600 1000"],
  ["two users", as(1000, 1001), {}, "644"],
  ["a user and the image's", as(1000, undefined), {}, "644"],
  ["a group", as(undefined), { fsGroup: 7 }, "600"],
  ["a group and one user", as(1000), { fsGroup: 7 }, "600 1000"],
];

for (const [name, containers, securityContext, wanted] of TOKENS) {
  test(`a token is for ${name}`, () => {
    const sources = [{ serviceAccountToken: { path: "token" } }];
    const volume: Volume = { name: "v", projected: { defaultMode: 0o644, sources } };
    const file = payloadOf(volume, sourcesOf(containers, securityContext)).get("token");
    const told = [file?.mode.toString(8), file?.userId].filter((part) => part !== undefined);
    assert.equal(told.join(" "), wanted);
  });
}

test("a key that is not there is named, unless it may be absent", () => {
  const sources = sourcesOf([], {});
  const items = [{ key: "b", path: "b" }];
  const of = (volume: Omit<Volume, "name">) => () => payloadOf({ name: "v", ...volume }, sources);
  assert.throws(of({ configMap: { name: "there", items } }), {
    message: "configmap references non-existent config key: b",
  });
  assert.throws(of({ secret: { secretName: "there", items } }), {
    message: "references non-existent secret key: b",
  });
  const optional = true;
  assert.equal(of({ configMap: { name: "there", items, optional } })().size, 0);
  assert.equal(of({ secret: { secretName: "gone", items, optional } })().size, 0);
  assert.throws(of({ secret: { secretName: "gone" } }), { message: 'secret "gone" not found' });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { planRevisions } from "./controller-revisions.ts";

test("a revision is, byte for byte, what clients make of the template", () => {
  const template = {
    spec: { containers: [{ name: "c", image: "i" }] },
    metadata: { labels: { b: "2", a: "1" } },
  };
  const { create } = planRevisions([], {
    template,
    owner: { apiVersion: "apps/v1", kind: "DaemonSet", name: "d", uid: "u" },
    namespace: "default",
    labels: undefined,
    collisions: undefined,
  });
  assert.equal(
    JSON.stringify(create?.data),
    '{"spec":{"template":{"$patch":"replace",' +
      '"metadata":{"creationTimestamp":null,"labels":{"a":"1","b":"2"}},' +
      '"spec":{"containers":[{"image":"i","name":"c","resources":{}}]}}}}',
  );
});

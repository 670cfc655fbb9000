import assert from "node:assert/strict";
import { test } from "node:test";
import { notFound } from "../../api/errors.ts";
import { RESOURCE_QUOTAS } from "../../api/generated/resources.ts";
import type { Transport } from "../../api/transport.ts";
import { countObjects, unfollowedItems } from "./named-counts.ts";

test("kinds are named by plural and group, followed ones are left out", () => {
  const hard = {
    pods: "1",
    "count/pods": "1",
    "count/widgets.example.com": "1",
    "count/roles.rbac.authorization.k8s.io": "1",
    "requests.cpu": "1",
  };
  const found = unfollowedItems({ spec: { hard } }, ({ plural }) => plural === "pods");
  assert.deepEqual(
    found.map(({ plural, group }) => [plural, group]),
    [
      ["widgets", "example.com"],
      ["roles", "rbac.authorization.k8s.io"],
    ],
  );
});

test("objects are counted by the first of them and how many are left", async () => {
  const asked: string[] = [];
  const answers: Record<string, unknown> = {
    "/apis/example.com": { preferredVersion: { version: "v2" } },
    "/apis/example.com/v2/namespaces/default/widgets?limit=1": {
      items: [{}],
      metadata: { remainingItemCount: 6 },
    },
    "/api/v1/namespaces/default/limitranges?limit=1": { items: [], metadata: {} },
  };
  const transport: Transport = {
    request({ path }) {
      asked.push(path);
      if (path in answers) return Promise.resolve({ status: 200, body: answers[path] });
      return Promise.reject(notFound(RESOURCE_QUOTAS, path));
    },
    watch: () => Promise.reject(new Error("nobody watches")),
  };
  const count = (plural: string, group: string) =>
    countObjects(transport, { item: "", plural, group, namespace: "default" });
  assert.equal(await count("widgets", "example.com"), 7);
  assert.equal(await count("limitranges", ""), 0);
  assert.equal(await count("gadgets", "example.com"), 0);
  assert.equal(await count("widgets", "gone.example"), 0);
  assert.equal(asked.length, 6);
  transport.request = () => Promise.reject(new Error("no answer"));
  assert.equal(await count("widgets", "example.com"), undefined);
});

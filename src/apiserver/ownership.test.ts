import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "./api-server-fixture.ts";

const SECRET = {
  path: "/api/v1/namespaces/default/secrets/a",
  object: { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, stringData: { a: "b" } },
};
const WEBHOOKS = {
  path: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/a",
  object: {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "a" },
    webhooks: [
      {
        name: "a.example.com",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
        clientConfig: { url: "https://example.com" },
        rules: [
          { apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] },
        ],
      },
    ],
  },
};

for (const { path, object } of [SECRET, WEBHOOKS]) {
  test(`what is applied again without its defaults is not written: ${object.kind}`, async () => {
    await using api = await startServer();
    const apply = (manager: string) =>
      api.patch(`${path}?force=true&fieldManager=${manager}`, {
        body: object,
        type: "apply-patch+yaml",
      });
    const first = await apply("one");
    await api.clock.advance(5_000);
    assert.deepEqual(await apply("one"), first);
    const second = await apply("two");
    assert.notEqual(second.metadata["resourceVersion"], first.metadata["resourceVersion"]);
    const owners = second.metadata["managedFields"] as { manager: string }[];
    assert.ok(owners.some(({ manager }) => manager === "two"));
  });
}

test("a limit beyond what a float can count is the same when it is applied again", async () => {
  await using api = await startServer();
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com";
  const body = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", maximum: 9223372036854775000 } },
        },
      ],
    },
  };
  const apply = () => api.patch(`${path}?fieldManager=one`, { body, type: "apply-patch+yaml" });
  await apply();
  assert.equal((await apply()).metadata["generation"], 1);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { applyPatch, STRATEGIC_MERGE_PATCH } from "../patch/apply-patch.ts";
import { builtInModel } from "../schema/built-in-model.ts";
import type { SchemaModel, StructType } from "../schema/model.ts";
import { formatPaths } from "./field-set.ts";
import { fieldsOfEntry, managedFieldsOf, updateManagedFields } from "./managed-fields.ts";
import { applyServerSide, withManagedFields } from "./server-side-apply.ts";
import type { Json } from "./shape.ts";

const TIME = "2026-01-01T00:00:00Z";

/** The schema of a kind, as the API server passes it on. */
function schemaOf(group: string, kind: string): { model: SchemaModel; struct: StructType } {
  const model = builtInModel();
  const struct = model.root({ group, version: "v1", kind });
  assert.ok(struct);
  return { model, struct };
}

function deployment(replicas: number): Json {
  const container = {
    name: "web",
    image: "nginx:1",
    ports: [{ containerPort: 80, protocol: "TCP" }],
    resources: {},
    terminationMessagePath: "/dev/termination-log",
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default", labels: { app: "web" } },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      strategy: {
        type: "RollingUpdate",
        rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" },
      },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [container] } },
    },
  };
}

test("a created deployment is owned as the reference implementation records it", () => {
  const schema = schemaOf("apps", "Deployment");
  const entries = updateManagedFields({
    after: deployment(1),
    manager: "kubectl-create",
    timeText: TIME,
    ...schema,
  });
  assert.deepEqual(entries?.[0]?.fieldsV1, {
    "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
    "f:spec": {
      "f:replicas": {},
      "f:selector": {},
      "f:strategy": {
        "f:type": {},
        "f:rollingUpdate": { ".": {}, "f:maxSurge": {}, "f:maxUnavailable": {} },
      },
      "f:template": {
        "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
        "f:spec": {
          "f:containers": {
            'k:{"name":"web"}': {
              ".": {},
              "f:name": {},
              "f:image": {},
              "f:ports": {
                ".": {},
                'k:{"containerPort":80,"protocol":"TCP"}': {
                  ".": {},
                  "f:containerPort": {},
                  "f:protocol": {},
                },
              },
              "f:resources": {},
              "f:terminationMessagePath": {},
            },
          },
        },
      },
    },
  });
});

test("after a scale the applier conflicts about replicas, and may leave them out", () => {
  const schema = schemaOf("apps", "Deployment");
  const by = { manager: "kubectl", force: false, timeText: TIME, ...schema };
  const created = applyServerSide({ applied: deployment(1), ...by });
  const scaled = { ...created, spec: { ...(created.spec as Json), replicas: 5 } };
  const live = withManagedFields(
    scaled,
    updateManagedFields({
      before: created,
      after: scaled,
      manager: "autoscaler",
      subresource: "scale",
      timeText: TIME,
      ...schema,
    }),
  );
  assert.throws(() => applyServerSide({ live, applied: deployment(1), ...by }), {
    message:
      'Apply failed with 1 conflict: conflict with "autoscaler" with subresource "scale" using ' +
      "apps/v1: .spec.replicas",
  });
  const { replicas: _, ...spec } = deployment(1).spec as Json;
  const after = applyServerSide({ live, applied: { ...deployment(1), spec }, ...by });
  assert.equal((after.spec as Json).replicas, 5);
  const owners = managedFieldsOf(after)
    .filter((entry) => formatPaths(fieldsOfEntry(entry)).includes(".spec.replicas"))
    .map(({ manager }) => manager);
  assert.deepEqual(owners, ["autoscaler"]);
});

test("a port without a protocol is the TCP port that is there", () => {
  const schema = schemaOf("", "Service");
  const service = (ports: Json[]): Json => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec: { ports },
  });
  const by = { manager: "m", force: false, timeText: TIME, ...schema };
  const live = service([{ port: 80, protocol: "TCP", targetPort: 80, nodePort: 30_000 }]);
  const after = applyServerSide({ live, applied: service([{ port: 80, targetPort: 80 }]), ...by });
  assert.deepEqual(after.spec, live.spec);
});

test("kubectl's strategic patches reach into lists of built-in kinds", () => {
  const schema = schemaOf("apps", "Deployment");
  const object = deployment(1);
  const patchOf = (spec: Json) =>
    applyPatch({
      type: STRATEGIC_MERGE_PATCH,
      patch: { spec: { template: { spec } } },
      object,
      ...schema,
    });
  const containersOf = (result: Json) =>
    (result.spec as { template: { spec: { containers: Json[] } } }).template.spec.containers;

  const [changed] = containersOf(patchOf({ containers: [{ name: "web", image: "nginx:2" }] }));
  assert.equal(changed?.image, "nginx:2");
  assert.deepEqual(changed?.ports, [{ containerPort: 80, protocol: "TCP" }]);

  const ports = [{ containerPort: 81 }];
  const order = [{ containerPort: 80 }, { containerPort: 81 }];
  const patch = { name: "web", "$setElementOrder/ports": order, ports };
  const [merged] = containersOf(patchOf({ containers: [patch] }));
  assert.deepEqual(merged?.ports, [{ containerPort: 80, protocol: "TCP" }, { containerPort: 81 }]);

  const side = { name: "side", image: "s" };
  const names = containersOf(
    patchOf({
      "$setElementOrder/containers": [{ name: "web" }, { name: "side" }],
      containers: [side],
    }),
  ).map(({ name }) => name);
  assert.deepEqual(names, ["web", "side"]);
});

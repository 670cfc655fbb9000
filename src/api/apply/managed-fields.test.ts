import assert from "node:assert/strict";
import { test } from "node:test";
import { podLikeModel } from "../schema/sample-model.ts";
import { formatPaths } from "./field-set.ts";
import { fieldsOfEntry, type ManagedFieldsEntry, updateManagedFields } from "./managed-fields.ts";
import { withManagedFields } from "./server-side-apply.ts";
import type { Json } from "./shape.ts";

const model = podLikeModel();
const struct = model.struct("Pod");

function write(
  before: Json | undefined,
  after: Json,
  by: { manager: string; subresource?: string; timeText?: string },
): { object: Json; entries: ManagedFieldsEntry[]; owns: (manager: string) => string[] } {
  const timeText = by.timeText ?? "2026-01-01T00:00:00Z";
  const entries =
    updateManagedFields({
      before,
      after: { apiVersion: "v1", kind: "Pod", ...after },
      ...by,
      timeText,
      model,
      struct,
    }) ?? [];
  const object = withManagedFields({ apiVersion: "v1", kind: "Pod", ...after }, entries);
  const owns = (manager: string) =>
    entries
      .filter((entry) => entry.manager === manager)
      .flatMap((entry) => formatPaths(fieldsOfEntry(entry)));
  return { object, entries, owns };
}

const POD: Json = {
  metadata: { name: "web", labels: { app: "web" } },
  spec: { nodeName: "n", containers: [{ name: "a", image: "a:1", ports: [{ port: 80 }] }] },
};

test("a creator owns all fields but those of the server", () => {
  const { entries } = write(undefined, POD, { manager: "kubectl-create" });
  assert.deepEqual(entries, [
    {
      manager: "kubectl-create",
      operation: "Update",
      apiVersion: "v1",
      time: "2026-01-01T00:00:00Z",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
        "f:spec": {
          "f:nodeName": {},
          "f:containers": {
            'k:{"name":"a"}': {
              ".": {},
              "f:name": {},
              "f:image": {},
              "f:ports": {
                ".": {},
                'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {} },
              },
            },
          },
        },
      },
    },
  ]);
});

test("an updater takes what it changes and nothing else", () => {
  const first = write(undefined, POD, { manager: "a" });
  const spec = { ...(POD.spec as Json), nodeName: "m" };
  const second = write(first.object, { ...first.object, spec }, { manager: "b" });
  assert.deepEqual(second.owns("b"), [".spec.nodeName"]);
  assert.ok(!second.owns("a").includes(".spec.nodeName"));
  assert.equal(second.owns("a").length, first.owns("a").length - 1);
});

test("a field that is removed belongs to nobody", () => {
  const first = write(undefined, POD, { manager: "a" });
  const { nodeName: _, ...spec } = POD.spec as Json;
  const second = write(first.object, { ...first.object, spec }, { manager: "b" });
  assert.deepEqual(second.owns("b"), []);
  assert.ok(!second.owns("a").includes(".spec.nodeName"));
});

test("a write that changes nothing keeps entries and times", () => {
  const first = write(undefined, POD, { manager: "a", timeText: "2026-01-01T00:00:00Z" });
  const copy = JSON.parse(JSON.stringify(first.object)) as Json;
  const second = write(first.object, copy, { manager: "a", timeText: "2026-01-02T00:00:00Z" });
  assert.deepEqual(second.entries, first.entries);
  const generation = { ...(first.object.metadata as Json), resourceVersion: "7" };
  const third = write(first.object, { ...first.object, metadata: generation }, { manager: "c" });
  assert.deepEqual(third.entries, first.entries);
});

test("the main resource does not own status, and status does not own spec", () => {
  const withStatus = { ...POD, status: { phase: "Running" } };
  const first = write(undefined, withStatus, { manager: "a" });
  assert.ok(!first.owns("a").includes(".status.phase"));
  const changed = { ...first.object, status: { phase: "Failed" }, spec: {} };
  const second = write(first.object, changed, { manager: "agent", subresource: "status" });
  assert.deepEqual(second.owns("agent"), [".status.phase"]);
  assert.equal(second.entries.find(({ manager }) => manager === "agent")?.subresource, "status");
  assert.deepEqual(second.owns("a"), first.owns("a"));
});

test("a client may forget all owners but not plant nonsense", () => {
  const first = write(undefined, POD, { manager: "a" });
  const send = (managedFields: unknown) =>
    write(
      first.object,
      { ...POD, metadata: { ...(POD.metadata as Json), managedFields } },
      { manager: "b" },
    );
  assert.deepEqual(send([{}]).entries, []);
  assert.deepEqual(send([]).entries, []);
  const odd = { manager: "x", operation: "No", fieldsType: "FieldsV1", fieldsV1: {} };
  assert.deepEqual(send([odd]).entries, first.entries);
  assert.deepEqual(send([{ manager: "x", fieldsV1: { nonsense: {} } }]).entries, first.entries);
});

test("more than ten updaters are folded into one", () => {
  let object: Json = write(undefined, POD, { manager: "m0" }).object;
  let entries: ManagedFieldsEntry[] = [];
  for (let at = 1; at < 15; at++) {
    const metadata = object.metadata as Json;
    const labels = { ...(metadata.labels as Json), [`l${at}`]: "x" };
    const timeText = `2026-01-01T00:00:${String(at).padStart(2, "0")}Z`;
    const by = { manager: `m${at}`, timeText };
    ({ object, entries } = write(object, { ...object, metadata: { ...metadata, labels } }, by));
  }
  assert.equal(entries.length, 10);
  assert.ok(entries.some(({ manager }) => manager === "ancient-changes"));
});

test("a label may have the name of something every object has", () => {
  const labels = { constructor: "x", toString: "y" } as unknown as Json;
  const first = write(undefined, { metadata: { name: "web", labels } }, { manager: "a" });
  const owned = [".metadata.labels", ".metadata.labels.constructor", ".metadata.labels.toString"];
  assert.deepEqual(first.owns("a"), owned);
  const second = write(first.object, { metadata: { name: "web", labels: {} } }, { manager: "b" });
  assert.deepEqual(second.owns("a"), [".metadata.labels"]);
});

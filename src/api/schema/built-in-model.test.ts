import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInModel } from "./built-in-model.ts";
import type { FieldType } from "./model.ts";

const model = builtInModel();

test("a field carries its type, merge key and protobuf number", () => {
  const containers = model.struct("core/v1.PodSpec").fields.get("containers");
  assert.deepEqual(containers, {
    name: "containers",
    type: {
      kind: "list",
      of: { kind: "struct", struct: "core/v1.Container" },
      listType: "map",
      mapKeys: ["name"],
    },
    required: true,
    omitEmpty: false,
    patchStrategy: "merge",
    patchMergeKey: "name",
    protobufNumber: 2,
  });
});

test("fields of inlined structs stand in the outer struct with their protobuf path", () => {
  const emptyDir = model.struct("core/v1.Volume").fields.get("emptyDir");
  assert.equal(emptyDir?.protobufNumber, 2);
  assert.deepEqual(emptyDir?.protobufPath, [2]);
});

test("a string field with a closed set of values lists them", () => {
  const policy = model.struct("core/v1.PodSpec").fields.get("restartPolicy");
  assert.deepEqual(policy?.enum, ["Always", "OnFailure", "Never"]);
});

test("a kind is found by group, version and kind, a mere struct is not", () => {
  assert.equal(
    model.root({ group: "apps", version: "v1", kind: "Deployment" })?.name,
    "apps/v1.Deployment",
  );
  assert.equal(model.root({ group: "", version: "v1", kind: "Status" })?.name, "meta/v1.Status");
  assert.equal(
    model.root({ group: "apps", version: "v1", kind: "DeleteOptions" })?.name,
    "meta/v1.DeleteOptions",
  );
  assert.equal(model.root({ group: "", version: "v1", kind: "PodSpec" }), undefined);
  assert.equal(model.root({ group: "", version: "v1", kind: "Pods" }), undefined);
  assert.equal(model.root({ group: "apps", version: "v9", kind: "Deployment" }), undefined);
});

test("an unknown type is refused by name", () => {
  assert.throws(() => model.struct("core/v1.Nothing"), /Cannot find the type "core\/v1.Nothing"/);
});

test("every struct that a kind reaches is known", () => {
  const seen = new Set<string>();
  const visit = (type: FieldType): void => {
    if (type.kind === "list" || type.kind === "map") return visit(type.of);
    if (type.kind !== "struct" || seen.has(type.struct)) return;
    seen.add(type.struct);
    for (const field of model.struct(type.struct).fields.values()) visit(field.type);
  };
  for (const gvk of model.kinds()) {
    const root = model.root(gvk);
    assert.ok(root, `${gvk.group}/${gvk.version} ${gvk.kind}`);
    visit({ kind: "struct", struct: root.name });
  }
  assert.ok(seen.size > 400, `${seen.size} structs`);
});

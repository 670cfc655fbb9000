import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StatusError } from "../errors.ts";
import { podLikeModel } from "../schema/sample-model.ts";
import { applyPatch, JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH } from "./apply-patch.ts";

type Json = Record<string, unknown>;
const model = podLikeModel();
const struct = model.struct("Pod");

function strategic(object: Json, patch: unknown): Json {
  return applyPatch({ type: STRATEGIC_MERGE_PATCH, patch, object, model, struct });
}

function spec(object: Json, patch: Json): unknown {
  return strategic({ spec: object }, { spec: patch }).spec;
}

function reasonOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof StatusError) return error.reason;
    throw error;
  }
  return "none";
}

const a = { name: "a", image: "a:1" };
const b = { name: "b", image: "b:1" };
const c = { name: "c", image: "c:1" };

test("what is one value is taken as it is, directives and all", () => {
  const directed = [{ $patch: "replace", name: "a" }];
  assert.deepEqual(spec({ args: ["a"] }, { args: directed }), { args: directed });
  assert.deepEqual(spec({}, { nodeSelector: { $patch: "replace", a: "b" } }), {});
  const order = { "$setElementOrder/containers": [], containers: [{ name: "a", image: "a:2" }] };
  assert.deepEqual(spec({ containers: [a, b] }, order), {
    containers: [{ name: "a", image: "a:2" }, b],
  });
});

test("a strategic merge patch leaves what an object is, and null is none", () => {
  const pod = { apiVersion: "v1", kind: "Pod", spec: {} };
  assert.equal(strategic(pod, null), pod);
  assert.deepEqual(strategic(pod, { apiVersion: "v9", kind: null }), pod);
});

test("patches of other types than objects and lists are refused", () => {
  const object = { spec: {} };
  const messageOf = (type: string, patch: unknown) => {
    try {
      applyPatch({ type, patch, object, model, struct });
    } catch (error) {
      return error instanceof StatusError ? error.message : assert.fail(String(error));
    }
    return "none";
  };
  const decoding = "error decoding patch: json: cannot unmarshal";
  assert.equal(
    messageOf(MERGE_PATCH, [1]),
    `${decoding} array into Go value of type map[string]interface {}`,
  );
  assert.equal(messageOf(MERGE_PATCH, null), "Invalid JSON Patch");
  assert.equal(
    messageOf(JSON_PATCH, true),
    `${decoding} bool into Go value of type []handlers.jsonPatchOp`,
  );
  assert.equal(messageOf(JSON_PATCH, null), "none");
});

test("directives that are malformed are refused in the words of Kubernetes", () => {
  const messageOf = (patch: unknown) => {
    try {
      strategic({ spec: { containers: [a] } }, patch);
    } catch (error) {
      return error instanceof StatusError ? error.message : assert.fail(String(error));
    }
    return "none";
  };
  const go = "into Go value of type map[string]interface {}";
  const cases: [patch: unknown, message: string][] = [
    [[], `json: cannot unmarshal array ${go}`],
    ["a", `json: cannot unmarshal string ${go}`],
    [{ $retainKeys: "a" }, "invalid patch format of retainKeys"],
    [{ $retainKeys: ["a"], spec: {} }, "invalid patch format of retainKeys"],
    [{ $deleteFromPrimitiveList: 1 }, "invalid patch format of primitive list"],
    [{ $setElementOrder: [] }, "invalid patch format of setElementOrder list"],
    [
      { spec: { "$setElementOrder/containers": "a" } },
      "invalid patch format of setElementOrder list",
    ],
    [{ spec: { "$deleteFromPrimitiveList/containers": "a" } }, "none"],
  ];
  for (const [patch, message] of cases) assert.equal(messageOf(patch), message);
});

test("a strategic merge patch does what its directives say", () => {
  const cases: [string, Json, Json, unknown][] = [
    ["a scalar is replaced", { nodeName: "x" }, { nodeName: "y" }, { nodeName: "y" }],
    ["null deletes", { nodeName: "x", replicas: 1 }, { nodeName: null }, { replicas: 1 }],
    [
      "null for what is not there does nothing",
      { replicas: 1 },
      { nodeName: null },
      { replicas: 1 },
    ],
    [
      "a list merges by its key",
      { containers: [a, b] },
      { containers: [{ name: "b", image: "b:2" }] },
      { containers: [a, { name: "b", image: "b:2" }] },
    ],
    [
      "a new element comes first without an order",
      { containers: [a, b] },
      { containers: [c] },
      { containers: [c, a, b] },
    ],
    [
      "the order directive places a new element",
      { containers: [a, b] },
      {
        "$setElementOrder/containers": [{ name: "a" }, { name: "b" }, { name: "c" }],
        containers: [c],
      },
      { containers: [a, b, c] },
    ],
    [
      "the order directive alone reorders",
      { containers: [a, b] },
      { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] },
      { containers: [b, a] },
    ],
    [
      "with an order directive a new element takes the room of a deleted one",
      { containers: [a, b] },
      {
        "$setElementOrder/containers": [{ name: "c" }],
        containers: [c, { $patch: "delete", name: "a" }],
      },
      { containers: [b, c] },
    ],
    [
      "elements the order does not name keep their place",
      { containers: [a, b, c] },
      { "$setElementOrder/containers": [{ name: "a" }, { name: "c" }] },
      { containers: [a, b, c] },
    ],
    [
      "an element is deleted",
      { containers: [a, b] },
      { containers: [{ $patch: "delete", name: "a" }] },
      { containers: [b] },
    ],
    [
      "deleting what is not there does nothing",
      { containers: [a] },
      { containers: [{ $patch: "delete", name: "z" }] },
      { containers: [a] },
    ],
    [
      "a list is replaced",
      { containers: [a, b] },
      { containers: [{ $patch: "replace" }, c] },
      { containers: [c] },
    ],
    [
      "an object is replaced",
      { strategy: { type: "Rolling", rolling: { max: 1 } } },
      { strategy: { $patch: "replace", type: "Recreate" } },
      { strategy: { type: "Recreate" } },
    ],
    [
      "an object is emptied",
      { strategy: { type: "x" } },
      { strategy: { $patch: "delete" } },
      { strategy: {} },
    ],
    [
      "only retained keys stay",
      { strategy: { type: "Rolling", rolling: { max: 1 } } },
      { strategy: { $retainKeys: ["type"], type: "Recreate" } },
      { strategy: { type: "Recreate" } },
    ],
    [
      "retained keys of a list element",
      { volumes: [{ name: "v", emptyDir: {} }] },
      { volumes: [{ $retainKeys: ["name", "path"], name: "v", path: "/x" }] },
      { volumes: [{ name: "v", path: "/x" }] },
    ],
    [
      "a list without a merge key is replaced",
      { containers: [{ name: "a", args: ["1", "2"] }] },
      { containers: [{ name: "a", args: ["3"] }] },
      { containers: [{ name: "a", args: ["3"] }] },
    ],
    [
      "directives and nulls do not get into new objects",
      {},
      {
        strategy: { $retainKeys: ["type"], type: "x", rolling: null },
        "$setElementOrder/containers": [],
      },
      { strategy: { type: "x" } },
    ],
  ];
  for (const [name, before, patch, wanted] of cases) {
    const text = JSON.stringify([before, patch]);
    assert.deepEqual(spec(before, patch), wanted, name);
    assert.equal(JSON.stringify([before, patch]), text, `${name}: inputs stay`);
  }
});

test("lists of plain values merge and lose elements", () => {
  const meta = (finalizers: string[], patch: Json) =>
    (strategic({ metadata: { finalizers } }, { metadata: patch }).metadata as Json).finalizers;
  assert.deepEqual(meta(["x"], { finalizers: ["y"] }), ["y", "x"]);
  assert.deepEqual(meta(["x", "y"], { "$deleteFromPrimitiveList/finalizers": ["x"] }), ["y"]);
  const order = { "$setElementOrder/finalizers": ["x", "y"], finalizers: ["y"] };
  assert.deepEqual(meta(["x"], order), ["x", "y"]);
});

test("a patch that makes no sense is a bad request", () => {
  const bad: Json[] = [
    { containers: [{ image: "x" }] },
    { containers: [{ $patch: "delete" }] },
    { containers: [{ $patch: "frob", name: "a" }] },
    { strategy: { $patch: "frob" } },
    { strategy: { $retainKeys: "type" } },
    { strategy: { $retainKeys: ["type"], rolling: {} } },
    { "$setElementOrder/containers": [{ name: "b" }], containers: [{ name: "a" }] },
    { "$setElementOrder/containers": "x" },
  ];
  for (const patch of bad) {
    const before = { containers: [a], strategy: { type: "x" } };
    assert.equal(
      reasonOf(() => spec(before, patch)),
      "BadRequest",
      JSON.stringify(patch),
    );
  }
  assert.equal(
    reasonOf(() => strategic({}, [])),
    "BadRequest",
  );
});

test("a kind without a schema takes no strategic merge patch", () => {
  const type = STRATEGIC_MERGE_PATCH;
  assert.equal(
    reasonOf(() => applyPatch({ type, patch: {}, object: {} })),
    "UnsupportedMediaType",
  );
});

test("JSON patches are refused with the status kubectl knows", () => {
  const json = (patch: unknown) =>
    reasonOf(() => applyPatch({ type: JSON_PATCH, patch, object: {} }));
  assert.equal(json({}), "BadRequest");
  assert.equal(json([{ op: "test", path: "/a", value: 1 }]), "Invalid");
  const many = Array.from({ length: 10_001 }, () => ({ op: "add", path: "/a", value: 1 }));
  assert.equal(json(many), "RequestEntityTooLarge");
});

test("what a patch does not touch is shared, and a patch without effect gives its input", () => {
  const object = { metadata: { labels: { x: "1" } }, spec: { containers: [a], replicas: 1 } };
  const result = strategic(object, { metadata: { labels: { y: "2" } } });
  assert.equal(result.spec, object.spec);
  for (const type of [STRATEGIC_MERGE_PATCH, MERGE_PATCH]) {
    const patch = { metadata: { labels: { x: "1", z: null } }, spec: { replicas: 1 } };
    assert.equal(applyPatch({ type, patch, object, model, struct }), object);
  }
  assert.equal(strategic(object, { spec: { containers: [{ ...a }] } }), object);
});

const container = fc.record(
  { name: fc.constantFrom("a", "b", "c"), image: fc.constantFrom("x:1", "x:2") },
  { requiredKeys: ["name"], noNullPrototype: true },
);
const specs = fc.record(
  {
    replicas: fc.nat({ max: 3 }),
    containers: fc.uniqueArray(container, { selector: (item) => item.name }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

test("law: applying a strategic patch twice is applying it once", () => {
  fc.assert(
    fc.property(specs, specs, (before, patch) => {
      const once = strategic({ spec: before }, { spec: patch });
      assert.deepEqual(strategic(once, { spec: patch }), once);
    }),
  );
});

test("law: after a patch every value it set is there", () => {
  fc.assert(
    fc.property(specs, specs, (before, patch) => {
      const after = strategic({ spec: before }, { spec: patch }).spec as {
        replicas?: number;
        containers?: { name: string; image?: string }[];
      };
      if (patch.replicas !== undefined) assert.equal(after.replicas, patch.replicas);
      for (const wanted of patch.containers ?? []) {
        const found = after.containers?.find((item) => item.name === wanted.name);
        if (wanted.image !== undefined) assert.equal(found?.image, wanted.image);
        assert.ok(found);
      }
    }),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StatusError } from "../errors.ts";
import { JOBS, REPLICA_SETS, STORAGE_CLASSES } from "../generated/resources.ts";
import type { Resource } from "../resource.ts";
import {
  compileFieldSelector,
  type FieldRequirement,
  formatFieldSelector,
  parseFieldSelector,
} from "./field-selector.ts";

const PODS: Resource = {
  group: "",
  version: "v1",
  plural: "pods",
  singular: "pod",
  kind: "Pod",
  namespaced: true,
};

function selects(text: string, object: unknown, resource: Resource = PODS): boolean {
  return compileFieldSelector(parseFieldSelector(text), { resource })(object);
}

test("pods are selected by their fields", () => {
  const pod = { metadata: { name: "web" }, spec: { nodeName: "n1" }, status: { phase: "Running" } };
  assert.ok(selects("metadata.name=web,spec.nodeName==n1", pod));
  assert.ok(selects("status.phase!=Failed", pod));
  assert.ok(selects("status.podIP=", pod));
  assert.ok(!selects("spec.nodeName=", pod));
  assert.ok(selects("", pod));
});

test("an event's source and a node's unschedulable have their own reading", () => {
  const events = { ...PODS, plural: "events", kind: "Event" };
  assert.ok(selects("source=kubelet", { source: { component: "kubelet" } }, events));
  const nodes = { ...PODS, plural: "nodes", kind: "Node", namespaced: false };
  assert.ok(selects("spec.unschedulable=false", {}, nodes));
});

test("unknown fields and broken selectors are a bad request", () => {
  for (const text of ["spec.image=x", "metadata.name", "a=b=c", "metadata.name=\\x"]) {
    assert.throws(
      () => selects(text, {}),
      (error) => error instanceof StatusError && error.reason === "BadRequest",
      text,
    );
  }
  assert.throws(
    () => selects("spec.image=x", {}),
    /^StatusError: field label not supported: spec.image$/,
  );
});

test("law: a selector survives writing and reading, whatever its values", () => {
  const one: fc.Arbitrary<FieldRequirement> = fc.record(
    {
      field: fc.constantFrom("metadata.name", "spec.nodeName"),
      operator: fc.constantFrom("=" as const, "!=" as const),
      value: fc.string(),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(one), (requirements) => {
      assert.deepEqual(parseFieldSelector(formatFieldSelector(requirements)), requirements);
    }),
  );
});

test("what is wrong with a field selector is said in upstream's words", () => {
  for (const [text, message] of [
    ["a=b\\x", "invalid field selector: invalid escape sequence: \\x"],
    ["a=b\\", "invalid field selector: invalid escape sequence: \\"],
    ["a=b=c", "invalid field selector: unescaped character in value: 61"],
  ] as const) {
    assert.throws(() => parseFieldSelector(text), { message }, text);
  }
  assert.throws(() => compileFieldSelector(parseFieldSelector("a=b"), { resource: JOBS }), {
    message: 'field label "a" not supported for Job',
  });
  const replicas = parseFieldSelector("status.replicas=1");
  assert.throws(() => compileFieldSelector(replicas, { resource: REPLICA_SETS }), {
    message: /"status.replicas" is not a known field selector/,
  });
  const placed = compileFieldSelector(parseFieldSelector("metadata.namespace=a"), {
    resource: STORAGE_CLASSES,
  });
  assert.equal(placed({ metadata: { name: "a" } }), false);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StatusError } from "../errors.ts";
import { podLikeModel } from "../schema/sample-model.ts";
import { formatPaths } from "./field-set.ts";
import { fieldsOfEntry, managedFieldsOf, updateManagedFields } from "./managed-fields.ts";
import { applyServerSide, withManagedFields } from "./server-side-apply.ts";
import type { Json } from "./shape.ts";

const model = podLikeModel();
const struct = model.struct("Pod");
const HEAD = { apiVersion: "v1", kind: "Pod" };
const TIME = "2026-01-01T00:00:00Z";

function apply(
  live: Json | undefined,
  config: { spec?: Json; metadata?: Json; status?: Json },
  by: { manager: string; force?: boolean; timeText?: string; subresource?: string },
): Json {
  const metadata = { name: "web", ...config.metadata };
  const applied = { ...HEAD, ...config, metadata };
  return applyServerSide({ live, applied, force: false, timeText: TIME, ...by, model, struct });
}

function update(live: Json, change: Json, manager: string): Json {
  const after = { ...live, ...change };
  const parts = { before: live, after, manager, timeText: TIME, model, struct };
  return withManagedFields(after, updateManagedFields(parts));
}

function owned(object: Json, manager: string): string[] {
  return managedFieldsOf(object)
    .filter((entry) => entry.manager === manager)
    .flatMap((entry) => formatPaths(fieldsOfEntry(entry)));
}

function refusal(action: () => unknown): StatusError {
  try {
    action();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  return assert.fail("nothing was refused");
}

const one = { containers: [{ name: "a", image: "a:1" }] };

test("apply creates, and owns exactly what it said", () => {
  const object = apply(undefined, { spec: one }, { manager: "m" });
  assert.deepEqual(object.spec, one);
  assert.deepEqual(managedFieldsOf(object), [
    {
      manager: "m",
      operation: "Apply",
      apiVersion: "v1",
      time: TIME,
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:spec": {
          "f:containers": { 'k:{"name":"a"}': { ".": {}, "f:name": {}, "f:image": {} } },
        },
      },
    },
  ]);
});

test("a field that is applied no longer goes, unless somebody else owns it", () => {
  const config = { spec: { ...one, nodeName: "n", replicas: 1 } };
  const both = apply(
    apply(undefined, config, { manager: "m" }),
    { spec: { replicas: 1 } },
    { manager: "x" },
  );
  const after = apply(both, { spec: one }, { manager: "m" });
  assert.deepEqual(after.spec, { ...one, replicas: 1 });
});

test("list elements come and go with their owner, with their defaults", () => {
  const two = { containers: [...one.containers, { name: "b", image: "b:1" }] };
  const created = apply(undefined, { spec: two }, { manager: "m" });
  const containers = (created.spec as typeof two).containers.map((item) => ({
    ...item,
    args: ["d"],
  }));
  const defaulted = { ...created, spec: { containers } };
  const after = apply(defaulted, { spec: one }, { manager: "m" });
  assert.deepEqual(after.spec, { containers: [{ name: "a", image: "a:1", args: ["d"] }] });
});

test("the metadata that the server set survives a change of labels", () => {
  const created = apply(
    undefined,
    { metadata: { labels: { x: "1" } }, spec: one },
    { manager: "m" },
  );
  const metadata = { ...(created.metadata as Json), resourceVersion: "5" };
  const after = apply({ ...created, metadata }, { spec: one }, { manager: "m" });
  const { managedFields: _, ...rest } = after.metadata as Json;
  assert.deepEqual(rest, { name: "web", resourceVersion: "5" });
});

test("a new element stands where the configuration puts it", () => {
  const names = (object: Json) =>
    (object.spec as { containers: Json[] }).containers.map(({ name }) => name);
  const list = (...items: string[]) => ({ spec: { containers: items.map((name) => ({ name })) } });
  const live = apply(apply(undefined, list("a", "b"), { manager: "m" }), list("x"), {
    manager: "x",
  });
  assert.deepEqual(names(live), ["a", "b", "x"]);
  assert.deepEqual(names(apply(live, list("a", "c", "b"), { manager: "m" })), ["a", "c", "b", "x"]);
  assert.deepEqual(names(apply(live, list("b", "a"), { manager: "m" })), ["b", "x", "a"]);
});

test("another's field is refused with its owner and path, and taken by force", () => {
  const live = apply(undefined, { spec: { ...one, replicas: 1 } }, { manager: "a" });
  const error = refusal(() => apply(live, { spec: { replicas: 2 } }, { manager: "b" }));
  assert.equal(error.message, 'Apply failed with 1 conflict: conflict with "a": .spec.replicas');
  assert.equal(error.code, 409);
  assert.deepEqual(error.status.details?.causes, [
    { reason: "FieldManagerConflict", message: 'conflict with "a"', field: ".spec.replicas" },
  ]);
  const forced = apply(live, { spec: { replicas: 2 } }, { manager: "b", force: true });
  assert.equal((forced.spec as Json).replicas, 2);
  assert.ok(!owned(forced, "a").includes(".spec.replicas"));
  assert.deepEqual(owned(forced, "b"), [".spec.replicas"]);
});

test("several conflicts are listed by owner", () => {
  const base = apply(undefined, { spec: { ...one, replicas: 1 } }, { manager: "a" });
  const live = update(base, { spec: { ...one, replicas: 1, nodeName: "n" } }, "kubectl-edit");
  const error = refusal(() =>
    apply(
      live,
      { spec: { replicas: 2, nodeName: "m", containers: [{ name: "a", image: "z" }] } },
      { manager: "b" },
    ),
  );
  assert.equal(
    error.message,
    'Apply failed with 3 conflicts: conflicts with "a":\n- .spec.containers[name="a"].image\n' +
      '- .spec.replicas\nconflicts with "kubectl-edit" using v1:\n- .spec.nodeName',
  );
});

test("the same value shares the field without a conflict", () => {
  const live = apply(undefined, { spec: { replicas: 1 } }, { manager: "a" });
  const both = apply(live, { spec: { replicas: 1 } }, { manager: "b" });
  assert.deepEqual([owned(both, "a"), owned(both, "b")], [[".spec.replicas"], [".spec.replicas"]]);
});

test("atomic maps and lists are one value", () => {
  const live = apply(undefined, { spec: { selector: { a: "1" } } }, { manager: "a" });
  assert.deepEqual(owned(live, "a"), [".spec.selector"]);
  const error = refusal(() => apply(live, { spec: { selector: { b: "1" } } }, { manager: "b" }));
  assert.equal(error.reason, "Conflict");
  const after = apply(live, { spec: { selector: { b: "1" } } }, { manager: "a" });
  assert.deepEqual(after.spec, { selector: { b: "1" } });
});

test("status in a configuration for the main resource has no effect", () => {
  const live = apply(undefined, { spec: one, status: { phase: "Running" } }, { manager: "a" });
  assert.equal(live.status, undefined);
  assert.ok(!owned(live, "a").includes(".status.phase"));
});

test("a configuration that cannot be merged is a bad request", () => {
  const live = apply(undefined, { spec: one }, { manager: "a" });
  const bad: (() => unknown)[] = [
    () => apply(live, { spec: { containers: [{ image: "x" }] } }, { manager: "a" }),
    () => apply(live, { spec: { containers: [{ name: "x" }, { name: "x" }] } }, { manager: "a" }),
    () => apply(live, { metadata: { managedFields: [{}] } }, { manager: "a" }),
    () => apply({ ...live, apiVersion: "v2" }, {}, { manager: "a" }),
  ];
  for (const action of bad) assert.equal(refusal(action).reason, "BadRequest");
});

test("null leaves alone what others have in it, and takes the own away", () => {
  const theirs = apply(undefined, { spec: one }, { manager: "x" });
  const containers = { spec: { containers: null } };
  const shared = apply(theirs, containers, { manager: "m" });
  assert.deepEqual(shared.spec, one);
  assert.deepEqual(owned(shared, "m"), [".spec.containers"]);
  const mine = apply(undefined, { spec: one }, { manager: "m" });
  assert.deepEqual(apply(mine, containers, { manager: "m" }).spec, { containers: [] });
});

test("kubectl's note of the last applied configuration follows", () => {
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "old" };
  const live = { ...HEAD, metadata: { name: "web", annotations }, spec: one };
  const after = apply(live, { spec: one }, { manager: "kubectl" });
  const note = (after.metadata as { annotations: typeof annotations }).annotations;
  assert.match(Object.values(note)[0] ?? "", /"image":"a:1"/);
  const { metadata } = apply(live, { metadata: { labels: { a: "<&>" } } }, { manager: "kubectl" });
  const { annotations: escaped } = metadata as { annotations: typeof annotations };
  assert.match(Object.values(escaped)[0] ?? "", /"a":"\\u003c\\u0026\\u003e"/);
});

test("kubectl goes on with what it applied on the client side, others do not", () => {
  const note = JSON.stringify({ spec: one });
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": note };
  const before = { ...HEAD, metadata: { name: "web", annotations }, spec: one };
  const live = apply(before, { spec: one }, { manager: "kubectl-client-side-apply" });
  const changed = { spec: { containers: [{ name: "a", image: "a:2" }] } };
  assert.equal(refusal(() => apply(live, changed, { manager: "other" })).reason, "Conflict");
  const after = apply(live, changed, { manager: "kubectl" });
  assert.match(JSON.stringify(after.spec), /a:2/);
});

const label = fc.dictionary(fc.constantFrom("x", "y", "z"), fc.constantFrom("1", "2"), {
  noNullPrototype: true,
});
const container = fc.record(
  { name: fc.constantFrom("a", "b", "c"), image: fc.constantFrom("1", "2") },
  { requiredKeys: ["name"], noNullPrototype: true },
);
const config = fc.record(
  {
    metadata: fc.record({ labels: label }, { noNullPrototype: true }),
    spec: fc.record(
      {
        replicas: fc.nat({ max: 2 }),
        containers: fc.uniqueArray(container, { selector: ({ name }) => name, minLength: 1 }),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);

test("law: applying twice is applying once, whoever came before", () => {
  fc.assert(
    fc.property(config, config, config, (first, second, third) => {
      const live = apply(apply(undefined, first, { manager: "a" }), second, {
        manager: "b",
        force: true,
      });
      const once = apply(live, third, {
        manager: "a",
        force: true,
        timeText: "2026-01-02T00:00:00Z",
      });
      const again = apply(once, third, { manager: "a", timeText: "2026-01-03T00:00:00Z" });
      assert.equal(again, once);
    }),
  );
});

test("law: a configuration that is applied stands in the object", () => {
  fc.assert(
    fc.property(config, config, (first, second) => {
      const live = apply(undefined, first, { manager: "a" });
      const after = apply(live, second, { manager: "a" });
      const metadata = { name: "web", ...second.metadata };
      const fresh = apply(undefined, { ...second, metadata }, { manager: "a" });
      const strip = (object: Json) => ({
        ...object,
        metadata: { ...(object.metadata as Json), managedFields: 0 },
      });
      const pruneEmpty = (object: Json) => JSON.parse(JSON.stringify(strip(object))) as Json;
      assert.deepEqual(sorted(pruneEmpty(after)), sorted(pruneEmpty(fresh)));
    }),
  );
});

/** Order of elements is not the point of the law above. */
function sorted(object: Json): Json {
  const spec = object.spec as { containers?: { name: string }[] } | undefined;
  if (!spec?.containers) return object;
  const containers = spec.containers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { ...object, spec: { ...spec, containers } };
}

test("law: managers of different fields do not care who comes first", () => {
  const mine = fc.record({ labels: label }, { noNullPrototype: true });
  const theirs = fc.uniqueArray(container, { selector: ({ name }) => name, minLength: 1 });
  fc.assert(
    fc.property(mine, theirs, (metadata, containers) => {
      const left = { metadata };
      const right = { spec: { containers } };
      const ab = apply(apply(undefined, left, { manager: "a" }), right, { manager: "b" });
      const ba = apply(apply(undefined, right, { manager: "b" }), left, { manager: "a" });
      assert.deepEqual(ab, ba);
    }),
  );
});

test("what is applied empty is emptied, and owned", () => {
  const config = { spec: { ...one, nodeName: "n" } };
  const live = apply(undefined, config, { manager: "m" });
  const said = { ...HEAD, metadata: { name: "web" }, spec: { nodeName: "" } };
  const values = { ...said, spec: {} };
  const by = { live, applied: said, values, manager: "x", timeText: TIME, model, struct };
  const error = refusal(() => applyServerSide({ ...by, force: false }));
  assert.match(error.message, /conflict with "m": \.spec\.nodeName/);
  const after = applyServerSide({ ...by, force: true });
  assert.deepEqual(after.spec, one);
  assert.deepEqual(owned(after, "x"), [".spec.nodeName"]);
  assert.ok(!owned(after, "m").includes(".spec.nodeName"));
  assert.equal(applyServerSide({ ...by, live: after, force: false }), after);
});

test("elements that are there twice stay, but for those that are applied", () => {
  const [a, b] = [
    { name: "a", image: "1" },
    { name: "b", image: "1" },
  ];
  const live = { ...HEAD, metadata: { name: "web" }, spec: { containers: [a, a, b, b] } };
  const next = { name: "a", image: "2" };
  const after = apply(live, { spec: { containers: [next] } }, { manager: "m", force: true });
  assert.deepEqual(after.spec, { containers: [next, b, b] });
});

test("what was there before anybody applied it has an owner of its own", () => {
  const live = { ...HEAD, metadata: { name: "web" }, spec: { nodeName: "n", replicas: 1 } };
  const other = { spec: { nodeName: "m" } };
  const error = refusal(() => apply(live, other, { manager: "m" }));
  assert.match(error.message, /conflict with "before-first-apply" using v1: \.spec\.nodeName/);
  const after = apply(live, other, { manager: "m", force: true });
  assert.deepEqual(owned(after, "before-first-apply"), [".spec.replicas"]);
  assert.deepEqual(update(live, { spec: { ...live.spec, replicas: 2 } }, "u").metadata, {
    name: "web",
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deepEqual } from "../../lib/deep-equal.ts";
import { podLikeModel } from "../schema/sample-model.ts";
import { applyPatch, JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH } from "./apply-patch.ts";

const model = podLikeModel();
const struct = model.struct("Pod");

type Json = Record<string, unknown>;

const texts = fc.constantFrom("1", "2", "3");
const labels = fc.dictionary(fc.constantFrom("x", "y", "z"), texts, { noNullPrototype: true });
const named = <T>(of: fc.Arbitrary<T & { name: string }>) =>
  fc.uniqueArray(of, { selector: ({ name }) => name, maxLength: 4 });
const names = fc.constantFrom("a", "b", "c", "d");
const container = fc.record(
  { name: names, image: texts, args: fc.array(texts, { maxLength: 2 }) },
  { requiredKeys: ["name"], noNullPrototype: true },
);
const volume = fc.oneof(
  fc.record({ name: names, path: texts }, { noNullPrototype: true }),
  fc.record(
    { name: names, emptyDir: fc.record({ medium: texts }, { noNullPrototype: true }) },
    { noNullPrototype: true },
  ),
);
const pod = fc.record(
  {
    metadata: fc.record(
      { labels, finalizers: fc.uniqueArray(names) },
      { requiredKeys: [], noNullPrototype: true },
    ),
    spec: fc.record(
      {
        nodeName: texts,
        containers: named(container),
        volumes: named(volume),
        selector: labels,
        strategy: fc.record({ type: texts }, { noNullPrototype: true }),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  },
  { noNullPrototype: true },
);

function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A merge patch from one object to another; lists are replaced. */
function mergeDiff(before: Json, after: Json): Json {
  const patch: Json = {};
  for (const name of Object.keys(before)) if (!(name in after)) patch[name] = null;
  for (const [name, value] of Object.entries(after)) {
    const old = before[name];
    if (deepEqual(old, value)) continue;
    patch[name] = isMap(old) && isMap(value) ? mergeDiff(old, value) : value;
  }
  return patch;
}

/** What clients send: elements by name with their order, unions with the keys they keep. */
function strategicDiff(before: Json, after: Json): Json {
  const patch: Json = {};
  for (const name of Object.keys(before)) if (!(name in after)) patch[name] = null;
  for (const [name, value] of Object.entries(after)) {
    const old = before[name];
    if (deepEqual(old, value)) continue;
    if (Array.isArray(old) && Array.isArray(value)) diffList(patch, name, { old, value });
    else if (isMap(old) && isMap(value)) patch[name] = strategicDiff(old, value);
    else patch[name] = value;
  }
  return patch;
}

function diffList(patch: Json, name: string, of: { old: unknown[]; value: unknown[] }): void {
  const { old, value } = of;
  if (name === "finalizers") {
    patch[`$deleteFromPrimitiveList/${name}`] = old.filter((item) => !value.includes(item));
    patch[name] = value.filter((item) => !old.includes(item));
    patch[`$setElementOrder/${name}`] = value;
    return;
  }
  if (name !== "containers" && name !== "volumes") {
    patch[name] = value;
    return;
  }
  const [elements, olds] = [value as Json[], old as Json[]];
  const changes: Json[] = [];
  for (const element of elements) {
    const was = olds.find((other) => other["name"] === element["name"]);
    if (was && deepEqual(was, element)) continue;
    const change = was ? strategicDiff(was, element) : element;
    const keys = name === "volumes" && was ? { $retainKeys: Object.keys(element) } : {};
    changes.push({ ...keys, ...change, name: element["name"] });
  }
  const gone = olds.filter((was) => !elements.some((other) => other["name"] === was["name"]));
  patch[name] = [...changes, ...gone.map((was) => ({ $patch: "delete", name: was["name"] }))];
  patch[`$setElementOrder/${name}`] = elements.map((element) => ({ name: element["name"] }));
}

/** Operations that add, remove and replace members; lists are replaced. */
function jsonDiff(before: Json, after: Json, path = ""): object[] {
  const at = (name: string) => `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  const removed = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  const operations: object[] = removed.map((name) => ({ op: "remove", path: at(name) }));
  for (const [name, value] of Object.entries(after)) {
    const had = Object.hasOwn(before, name);
    const old = had ? before[name] : undefined;
    if (deepEqual(old, value)) continue;
    if (isMap(old) && isMap(value)) operations.push(...jsonDiff(old, value, at(name)));
    else operations.push({ op: had ? "replace" : "add", path: at(name), value });
  }
  return operations;
}

const patched = (type: string, object: Json, patch: unknown) =>
  applyPatch({ type, patch, object, model, struct });

test("law: a strategic patch made of two objects leads from one to the other, also twice", () => {
  fc.assert(
    fc.property(pod, pod, (before, after) => {
      const patch = strategicDiff(before, after);
      const once = patched(STRATEGIC_MERGE_PATCH, before, patch);
      assert.deepEqual(once, after);
      assert.deepEqual(patched(STRATEGIC_MERGE_PATCH, once, patch), after);
    }),
  );
});

test("law: a merge patch made of two objects leads from one to the other, also twice", () => {
  fc.assert(
    fc.property(pod, pod, (before, after) => {
      const patch = mergeDiff(before, after);
      const once = patched(MERGE_PATCH, before, patch);
      assert.deepEqual(once, after);
      assert.equal(patched(MERGE_PATCH, once, patch), once);
    }),
  );
});

test("law: a JSON patch made of two objects leads from one to the other and back", () => {
  const values = fc.jsonValue({ maxDepth: 3 });
  const object = fc.dictionary(fc.string(), values, { noNullPrototype: true }).filter(isPlain);
  fc.assert(
    fc.property(object, object, (before, after) => {
      const there = patched(JSON_PATCH, before, jsonDiff(before, after));
      assert.deepEqual(there, after);
      assert.deepEqual(patched(JSON_PATCH, there, jsonDiff(after, before)), before);
    }),
  );
});

/** Whether no name is one that objects have by themselves. */
function isPlain(object: Json): boolean {
  return !JSON.stringify(object).includes("__proto__");
}

test("law: the directive replace forgets what was there, and delete does so alone", () => {
  fc.assert(
    fc.property(pod, pod, (before, after) => {
      const replace = { spec: { ...after.spec, $patch: "replace" } };
      assert.deepEqual(patched(STRATEGIC_MERGE_PATCH, before, replace)["spec"], after.spec);
      const gone = patched(STRATEGIC_MERGE_PATCH, before, { spec: { $patch: "delete" } });
      assert.deepEqual(gone["spec"], {});
    }),
  );
});

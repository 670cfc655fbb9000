import assert from "node:assert/strict";
import { test } from "node:test";
import type { FieldSet } from "../../api/apply/field-set.ts";
import { encodeWithManagers, encodeCanonical } from "../../format/json-canonical.ts";
import { KnownManagers } from "./known-managers.ts";

const TIME = "2026-01-01T00:00:00Z";
const DATA: FieldSet = { "f:data": { ".": {}, "f:a": {} } };
const PORTS: FieldSet = { 'k:{"name":"é"}': { ".": {} } };

function entryOf(manager: string, fieldsV1: FieldSet, time: string = TIME) {
  const fields = { fieldsType: "FieldsV1", fieldsV1 };
  return { manager, operation: "Update", apiVersion: "v1", time, ...fields };
}

function objectOf(name: string, entries: readonly object[], more: object = {}) {
  const metadata = { name, managedFields: entries, ...more };
  return { kind: "ConfigMap", apiVersion: "v1", metadata, data: { a: "b" } };
}

/** Parses each object and compares it with what JSON.parse makes of the same text. */
function parseAll(managers: KnownManagers, objects: readonly object[]): object[] {
  return objects.map((object) => {
    const text = JSON.stringify(object);
    const parsed = managers.parse(text);
    assert.equal(JSON.stringify(parsed), text);
    return parsed;
  });
}

function setsOf(object: object): unknown[] {
  const { metadata } = object as ReturnType<typeof objectOf>;
  return (metadata.managedFields as { fieldsV1?: unknown }[]).map(({ fieldsV1 }) => fieldsV1);
}

test("objects whose managers own the same share the sets, whenever they wrote", () => {
  const managers = new KnownManagers();
  const later = "2026-02-02T02:02:02Z";
  const [first, second] = parseAll(managers, [
    objectOf("a", [entryOf("x", DATA), entryOf("y", PORTS)]),
    objectOf("b", [entryOf("x", DATA, later), entryOf("y", PORTS, later)], { generation: 3 }),
  ]) as [object, object];
  assert.equal(setsOf(first)[0], setsOf(second)[0]);
  assert.equal(setsOf(first)[1], setsOf(second)[1]);
  assert(Object.isFrozen(setsOf(second)[1]));
});

test("whatever is managed otherwise is read as it is", () => {
  const managers = new KnownManagers();
  const known = [entryOf("x", DATA)];
  const template = { metadata: { managedFields: known } };
  parseAll(managers, [
    objectOf("known", known),
    objectOf("other manager", [entryOf("z", DATA)]),
    objectOf("one more", [...known, entryOf("y", DATA)]),
    objectOf("no time", [{ ...entryOf("x", DATA), time: undefined }]),
    objectOf("short time", [entryOf("x", DATA, "2026")]),
    objectOf("quoted time", [entryOf("x", DATA, '2026-01-01T00":"0:00Z')]),
    objectOf("nobody", []),
    { kind: "K", apiVersion: "v1", metadata: { name: "within" }, spec: { template } },
    objectOf("text", known, { annotations: { a: `,"managedFields":${JSON.stringify(known)}` } }),
    { kind: "K", apiVersion: "v1", metadata: {} },
  ]);
});

test("more shapes than are remembered are read all the same", () => {
  const managers = new KnownManagers();
  const objects = Array.from({ length: 100 }, (_, i) =>
    objectOf("a", [entryOf(`x${i % 20}`, DATA)]),
  );
  parseAll(managers, objects);
});

test("a union with the same set is the same set, and its text is known", () => {
  const managers = new KnownManagers();
  const [object] = parseAll(managers, [objectOf("a", [entryOf("x", DATA)])]) as [object];
  const [set] = setsOf(object) as [FieldSet];
  const added = () => ({ "f:data": { "f:b": {} } });
  const wanted = { "f:data": { ".": {}, "f:a": {}, "f:b": {} } };
  const unions = Array.from({ length: 20 }, () => managers.union(set, added()));
  for (const union of unions) assert.deepEqual(union, wanted);
  assert.equal(unions[18], unions[19]);
  assert.equal(managers.union(set, { "f:data": { "f:a": {} } }), set);
  assert.deepEqual(managers.union(DATA, PORTS), { ...DATA, ...PORTS });
  const last = unions[19] as FieldSet;
  for (const entries of [
    [entryOf("x", last)],
    [entryOf("x", last, "2026-02-02T02:02:02Z"), entryOf("y", set)],
    [{ ...entryOf("x", last), subresource: "status" }],
  ]) {
    assert.equal(managers.textOf(entries), JSON.stringify(entries));
  }
  assert.equal(managers.textOf([entryOf("x", last), entryOf("y", PORTS)]), undefined);
  assert.equal(managers.textOf([]), undefined);
});

test("nothing is remembered of what is too long", () => {
  const managers = new KnownManagers();
  const many = Array.from({ length: 1_000 }, (_, i) => [`f:${i}`, {}] as const);
  const large: FieldSet = { "f:data": Object.fromEntries(many) };
  const none: FieldSet = {};
  const unions = Array.from({ length: 20 }, () => managers.union(none, structuredClone(large)));
  assert.equal(new Set(unions).size, unions.length);
  parseAll(managers, [objectOf("a", [entryOf("x", large)]), objectOf("b", [entryOf("x", large)])]);
  assert.equal(managers.textOf([entryOf("x", large)]), undefined);
});

test("an object is written around the known text of its managers as it would be anew", () => {
  const entries = [entryOf("x", PORTS)];
  for (const more of [{}, { resourceVersion: "7", labels: { managedFields: "0" } }]) {
    const object = objectOf("a", entries, more);
    const bytes = encodeWithManagers(object, JSON.stringify(entries));
    assert.deepEqual(bytes.toString(), encodeCanonical(object).toString());
  }
});

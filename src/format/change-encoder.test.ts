import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyMergePatch } from "../lib/merge-patch.ts";
import { ChangeEncoder } from "./change-encoder.ts";
import { decodeCanonical, encodeCanonical, spliceResourceVersion } from "./json-canonical.ts";

type Members = Record<string, unknown>;

const OLD_MANAGERS = [{ manager: "a", fieldsV1: { "f:data": { ".": {}, "f:spec": {} } } }];
const NEW_MANAGERS = [...OLD_MANAGERS, { manager: "ü", fieldsV1: { "f:data": { "f:x": {} } } }];

/** What is stored, as it is served and as it is read. */
function stored(object: Members): { bytes: Uint8Array; before: Members } {
  const bytes = spliceResourceVersion(encodeCanonical(object), 4711);
  return { bytes, before: decodeCanonical(bytes) as Members };
}

/** A patch of a state: what is encoded of it at once, and from what changed. */
function patched(object: Members, patch: Members): { whole: string; changed: string | undefined } {
  const { bytes, before } = stored(object);
  const after = { ...(applyMergePatch(before, patch) as Members) };
  const meta = { ...(after["metadata"] as Members) };
  meta["managedFields"] = NEW_MANAGERS;
  after["metadata"] = meta;
  const managers = JSON.stringify(NEW_MANAGERS);
  const changed = new ChangeEncoder().encode({ bytes, before, after, managers });
  return { whole: encodeCanonical(after).toString(), changed: changed?.toString() };
}

function configMap(more: Members, metadata: Members = {}, behind: Members = {}): Members {
  return {
    kind: "ConfigMap",
    apiVersion: "v1",
    metadata: {
      name: "a",
      labels: { app: "b" },
      ...metadata,
      managedFields: OLD_MANAGERS,
      ...behind,
    },
    ...more,
  };
}

test("one member that changed is written, and the rest copied", () => {
  const cases: [Members, Members][] = [
    [{ data: { a: "ä\n" } }, { data: { b: "ö" } }],
    [{ data: { a: "1" } }, { data: { a: "2" } }],
    [{ data: { a: "1", b: "2" } }, { data: { a: null } }],
    [{ data: {} }, { data: { a: "1" } }],
    [{ data: { a: "1" }, immutable: false }, { data: { b: "1" } }],
    [{ data: { a: "1" }, immutable: false, x: [1] }, { immutable: true }],
    [{ data: { a: "1" } }, {}],
    [{}, {}],
    [{ data: { b: "1" } }, { data: { 1: "2" } }],
    [{ data: { b: 'x,"data":"y' } }, { data: { c: "d" } }],
  ];
  for (const [more, patch] of cases) {
    for (const behind of [{}, { uid: "u-1", creationTimestamp: "2026-01-01T00:00:00Z" }]) {
      const { whole, changed } = patched(configMap(more, {}, behind), patch);
      assert.equal(changed, whole, JSON.stringify([more, patch]));
    }
  }
});

test("what cannot be told apart, or is more than that, is not encoded", () => {
  const cases: [Members, Members][] = [
    // The name of the member stands elsewhere, too.
    [configMap({ data: { a: "1", data: "2" } }), { data: { b: "3" } }],
    [
      configMap({ data: { a: "1" } }, {}, { annotations: { a: "b", data: "c" } }),
      { data: { a: "3" } },
    ],
    [configMap({ data: { a: "1" } }), { binaryData: { b: "3" } }],
    [configMap({ data: { a: "1" }, immutable: false }), { data: { b: "3" }, immutable: true }],
    [configMap({ data: { a: "1" }, immutable: false }), { immutable: null }],
    [configMap({ data: { a: "1" } }), { metadata: { labels: { app: "c" } } }],
    [configMap({ "da\tta": { a: "1" } }), { "da\tta": { b: "1" } }],
  ];
  for (const [object, patch] of cases) assert.equal(patched(object, patch).changed, undefined);
});

test("the uid of an owner is no other member", () => {
  const owners = [
    { name: "o", uid: "u-1" },
    { name: "p", uid: "u-2" },
  ];
  const object = configMap({ data: { a: "1" } }, { ownerReferences: owners }, { uid: "u-3" });
  const { whole, changed } = patched(object, { data: { b: "2" } });
  assert.equal(changed, whole);
});

test("an int64 that stays is copied as it is", () => {
  const { whole, changed } = patched(configMap({ n: 9223372036854775807n, data: { a: "1" } }), {
    data: { b: "2" },
  });
  assert.equal(changed, whole);
  assert.match(whole, /"n":9223372036854775807/);
});

test("property: what is encoded from a change is what is encoded at once", () => {
  const name = fc.oneof(
    fc.constantFrom("data", "spec", "status", "managedFields", "1", "resourceVersion"),
    fc.string({ unit: "grapheme", maxLength: 3 }),
  );
  const text = fc.oneof(
    fc.constantFrom(',"data":', '"', "\\", ',"managedFields":[', "},", "}}"),
    fc.string({ unit: "grapheme", maxLength: 6 }),
  );
  const map = fc.dictionary(name, text, { maxKeys: 4 });
  const value = fc.oneof(map, text, fc.jsonValue({ maxDepth: 2 }));
  const parts = fc.uniqueArray(fc.tuple(fc.constantFrom("data", "spec", "x"), value), {
    selector: ([part]) => part,
    maxLength: 3,
  });
  const patch = fc.tuple(fc.constantFrom("data", "spec"), fc.oneof(map, value));
  let seen = 0;
  fc.assert(
    fc.property(parts, map, map, patch, (members, labels, behind, [part, wanted]) => {
      const object = configMap(Object.fromEntries(members), { labels }, { annotations: behind });
      const { whole, changed } = patched(object, { [part]: wanted });
      if (changed === undefined) return;
      seen++;
      assert.equal(changed, whole);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(seen > 100, `only ${seen} were encoded`);
});

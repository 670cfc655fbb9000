import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deepEqual } from "./deep-equal.ts";
import { applyJsonPatch, JsonPatchError, parseJsonPatch } from "./json-patch.ts";
import { formatPointer, parsePointer } from "./json-pointer.ts";
import { applyMergePatch } from "./merge-patch.ts";

function patched(document: unknown, ...operations: object[]): unknown {
  return applyJsonPatch(document, parseJsonPatch(operations));
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof JsonPatchError) return error.code;
    throw error;
  }
  return "none";
}

test("each operation does what RFC 6902 says", () => {
  const document = { a: { b: [1, 2, 3] }, c: "x" };
  const cases: [string, object, unknown][] = [
    ["add to an object", { op: "add", path: "/d", value: 1 }, { ...document, d: 1 }],
    [
      "insert into a list",
      { op: "add", path: "/a/b/1", value: 9 },
      { a: { b: [1, 9, 2, 3] }, c: "x" },
    ],
    ["append", { op: "add", path: "/a/b/-", value: 9 }, { a: { b: [1, 2, 3, 9] }, c: "x" }],
    ["remove", { op: "remove", path: "/a/b/0" }, { a: { b: [2, 3] }, c: "x" }],
    ["replace", { op: "replace", path: "/c", value: null }, { a: { b: [1, 2, 3] }, c: null }],
    ["replace what is missing", { op: "replace", path: "/d", value: 1 }, { ...document, d: 1 }],
    ["move", { op: "move", from: "/c", path: "/a/c" }, { a: { b: [1, 2, 3], c: "x" } }],
    ["copy", { op: "copy", from: "/c", path: "/d" }, { ...document, d: "x" }],
    ["a test that holds", { op: "test", path: "/a/b", value: [1, 2, 3] }, document],
    ["a missing member equals null", { op: "test", path: "/z", value: null }, document],
    ["move to where it is", { op: "move", from: "/c", path: "/c" }, document],
  ];
  const frozen = JSON.stringify(document);
  for (const [name, operation, wanted] of cases) {
    assert.deepEqual(patched(document, operation), wanted, name);
    assert.equal(JSON.stringify(document), frozen, `${name} leaves its input alone`);
  }
});

test("what RFC 6902 leaves open or forbids does what upstream does", () => {
  const document = { a: { b: [1, 2, 3] }, c: "x" };
  const listOf = (...b: unknown[]) => ({ a: { b }, c: "x" });
  const cases: [string, object, unknown][] = [
    ["a value that is missing is null", { op: "add", path: "/d" }, { ...document, d: null }],
    ["and equals a missing member", { op: "test", path: "/d" }, document],
    [
      "a missing member is copied",
      { op: "copy", from: "/z", path: "/d" },
      { ...document, d: null },
    ],
    ["a leading zero", { op: "add", path: "/a/b/01", value: 9 }, listOf(1, 9, 2, 3)],
    ["a sign", { op: "replace", path: "/a/b/+1", value: 9 }, listOf(1, 9, 3)],
    ["add behind the last", { op: "add", path: "/a/b/-1", value: 9 }, listOf(1, 2, 3, 9)],
    ["add before the last", { op: "add", path: "/a/b/-2", value: 9 }, listOf(1, 2, 9, 3)],
    ["remove the last", { op: "remove", path: "/a/b/-1" }, listOf(1, 2)],
    ["replace the whole", { op: "replace", path: "", value: { q: 1 } }, { q: 1 }],
    ["but not by text", { op: "replace", path: "", value: "q" }, document],
    ["compare the whole", { op: "test", path: "", value: document }, document],
    ["text before the slash", { op: "add", path: "q/c", value: 1 }, { ...document, c: 1 }],
  ];
  const frozen = JSON.stringify(document);
  for (const [name, operation, wanted] of cases) {
    assert.deepEqual(patched(document, operation), wanted, name);
    assert.equal(JSON.stringify(document), frozen, `${name} leaves its input alone`);
  }
});

test("a patch that does not fit is refused with the reason", () => {
  const document = { a: [1] };
  const cases: [object, string][] = [
    [{ op: "remove", path: "/b" }, "unapplicable"],
    [{ op: "replace", path: "/a/1", value: 1 }, "unapplicable"],
    [{ op: "replace", path: "/b/c", value: 1 }, "unapplicable"],
    [{ op: "add", path: "/b/c", value: 1 }, "unapplicable"],
    [{ op: "add", path: "/a/5", value: 1 }, "unapplicable"],
    [{ op: "add", path: "/a/-3", value: 1 }, "unapplicable"],
    [{ op: "add", path: "/a/1x", value: 1 }, "unapplicable"],
    [{ op: "remove", path: "/a/-" }, "unapplicable"],
    [{ op: "remove", path: "" }, "unapplicable"],
    [{ op: "add", path: "", value: {} }, "unapplicable"],
    [{ op: "copy", from: "/a/1", path: "/b" }, "unapplicable"],
    [{ op: "copy", from: "/z/y", path: "/b" }, "unapplicable"],
    [{ op: "move", from: "/z", path: "/b" }, "unapplicable"],
    [{ op: "test", path: "/z/y", value: null }, "unapplicable"],
    [{ op: "test", path: "a", value: null }, "unapplicable"],
    [{ op: "add", path: "/__proto__/x", value: 1 }, "unapplicable"],
    [{ op: "move", from: "/a", path: "/a/0" }, "unapplicable"],
    [{ op: "test", path: "/a", value: 2 }, "testFailed"],
    [{ op: "add", path: "b", value: 1 }, "unapplicable"],
    [{ op: "add", value: 1 }, "unapplicable"],
    [{ op: "add", path: 5, value: 1 }, "malformed"],
    [{ op: "frob", path: "/b" }, "unapplicable"],
    [{ path: "/b" }, "unapplicable"],
    [{ op: { toString: 1 }, path: "/b" }, "malformed"],
    [{ op: "copy", path: "/b" }, "unapplicable"],
    [["add"], "malformed"],
  ];
  for (const [operation, wanted] of cases) {
    assert.equal(
      codeOf(() => patched(document, operation)),
      wanted,
      JSON.stringify(operation),
    );
  }
  assert.equal(({} as Record<string, unknown>).x, undefined);
});

test("copies beyond the bound are refused", () => {
  const patch = parseJsonPatch([
    { op: "copy", from: "/a", path: "/b" },
    { op: "copy", from: "/a", path: "/c" },
  ]);
  const copySizeMax = 100;
  assert.equal(
    codeOf(() => applyJsonPatch({ a: "x".repeat(60) }, patch, { copySizeMax })),
    "tooLarge",
  );
});

test("untouched sub-trees are shared", () => {
  const document = { kept: { x: 1 }, changed: { y: 1 } };
  const result = patched(document, { op: "replace", path: "/changed/y", value: 2 });
  assert.equal((result as typeof document).kept, document.kept);
});

test("law: a pointer survives writing and reading", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (tokens) => {
      assert.deepEqual(parsePointer(formatPointer(tokens)), tokens);
    }),
  );
});

test("law: replacing the whole document by an object gives the object", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue()), (document, value) => {
      assert.equal(patched(document, { op: "replace", path: "", value }), value);
    }),
  );
});

const json = fc.jsonValue({ maxDepth: 4 });

test("law: merging twice is merging once, and changes nothing shared", () => {
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const before = JSON.stringify(target);
      const once = applyMergePatch(target, patch);
      assert.ok(deepEqual(applyMergePatch(once, patch), once));
      assert.equal(JSON.stringify(target), before);
    }),
  );
});

test("a merge patch leaves no null in objects of lists, and those of lists alone", () => {
  assert.deepEqual(applyMergePatch({}, { a: [{ b: null, c: 1 }, null, [{ d: null }]] }), {
    a: [{ c: 1 }, null, [{}]],
  });
});

test("a merge patch removes with null, also where nothing was", () => {
  assert.deepEqual(applyMergePatch({ a: 1, b: { c: 1, d: 2 } }, { a: null, b: { c: null } }), {
    b: { d: 2 },
  });
  assert.deepEqual(applyMergePatch({}, { a: { b: null } }), { a: {} });
  const same = { a: { b: 1 } };
  assert.equal(applyMergePatch(same, { a: { b: 1, z: null } }), same);
});

test("law: a value equals its copy and nothing else", () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      assert.ok(deepEqual(a, JSON.parse(JSON.stringify(a))) || JSON.stringify(a).includes("-0"));
      assert.equal(deepEqual(a, b), deepEqual(b, a));
    }),
  );
});

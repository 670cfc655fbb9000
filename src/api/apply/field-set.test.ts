import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  differenceOf,
  type FieldSet,
  fieldSetOf,
  formatPaths,
  intersectionOf,
  isFieldSet,
  unionOf,
  withoutSubtrees,
} from "./field-set.ts";

const element = fc.constantFrom("f:a", "f:b", 'k:{"name":"x"}', 'v:"y"');
const path = fc.array(element, { minLength: 1, maxLength: 4 });
const paths = fc.array(path, { maxLength: 8 });
const set = paths.map((list) => fieldSetOf(...list));

/** The set as a plain list of paths: the model that operations are checked against. */
function members(of: FieldSet): string[] {
  return formatPaths(of);
}

function select(a: FieldSet, keep: (path: string) => boolean): string[] {
  return members(a).filter(keep);
}

test("paths read as users know them", () => {
  const ports = fieldSetOf(
    ["f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}'],
    ["f:metadata", "f:finalizers", 'v:"x"'],
  );
  assert.deepEqual(formatPaths(ports), [
    '.metadata.finalizers[="x"]',
    '.spec.ports[port=80,protocol="TCP"]',
  ]);
});

test("law: union, difference and intersection are those of sets of paths", () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const inB = new Set(members(b));
      const both = [...new Set([...members(a), ...members(b)])].sort();
      assert.deepEqual(members(unionOf(a, b)), both);
      assert.deepEqual(
        members(differenceOf(a, b)),
        select(a, (path) => !inB.has(path)),
      );
      assert.deepEqual(
        members(intersectionOf(a, b)),
        select(a, (path) => inB.has(path)),
      );
    }),
  );
});

test("law: pruning removes the paths and all below them", () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const roots = members(b);
      const below = (path: string) =>
        roots.some(
          (root) =>
            path === root || (/^[.[]/.test(path.slice(root.length)) && path.startsWith(root)),
        );
      assert.deepEqual(
        members(withoutSubtrees(a, b)),
        select(a, (path) => !below(path)),
      );
    }),
  );
});

test("law: an operation without effect gives back its operand", () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const all = unionOf(a, b);
      assert.equal(unionOf(all, a), all);
      assert.equal(unionOf(all, structuredClone(a)), all);
      const rest = differenceOf(a, b);
      assert.equal(differenceOf(rest, b), rest);
      assert.deepEqual(differenceOf(a, a), {});
      assert.ok(isFieldSet(all));
    }),
  );
});

test("what is no set is told apart", () => {
  for (const value of [null, [], "x", { a: {} }, { "k:x": {} }, { "f:a": 1 }, { "i:x": {} }]) {
    assert.ok(!isFieldSet(value), JSON.stringify(value));
  }
});

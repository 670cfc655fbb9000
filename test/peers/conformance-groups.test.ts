import assert from "node:assert/strict";
import { test } from "node:test";
import { alone, conformanceGroups, focusOn } from "./conformance-groups.ts";

const NAMES = ["[a] one [Conformance]", "[a] two (x.y|z)", "[a] three [Serial]", "[b] four"];

test("tests that may share a cluster are dealt out, the others are not", () => {
  assert.deepEqual(conformanceGroups(NAMES, 2), [
    ["[a] one [Conformance]", "[b] four"],
    ["[a] two (x.y|z)"],
  ]);
  assert.deepEqual(NAMES.filter(alone), ["[a] three [Serial]"]);
  assert.deepEqual(conformanceGroups(["[a] three [Disruptive]"], 2), []);
});

test("a focus means its tests and no others, however they are spaced", () => {
  const focus = new RegExp(focusOn(NAMES.slice(0, 2)));
  const means = (name: string) => focus.test(name);
  assert.deepEqual(NAMES.map(means), [true, true, false, false]);
  assert.equal(means("[a]  one   [Conformance]"), true);
  assert.equal(means("[a] one [Conformance] more"), false);
  assert.equal(means("[a] two (xxy|z)"), false);
});

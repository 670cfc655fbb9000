import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeYaml } from "./yaml-decode.ts";

function value(text: string): unknown {
  return decodeYaml(text).value;
}

for (const [name, text, wanted] of [
  ["yes, on and True are booleans", "[yes, on, True, no, Off]", [true, true, true, false, false]],
  ["quoted words stay strings", "['yes', \"1\"]", ["yes", "1"]],
  ["a leading zero means octal", "mode: 0755", { mode: 493 }],
  ["hexadecimal and underscores are numbers", "[0x1F, 1_000]", [31, 1000]],
  ["times and dates stay strings", "[12:30:45, 2001-01-01]", ["12:30:45", "2001-01-01"]],
  ["port pairs stay strings", "a: 5432:5432", { a: "5432:5432" }],
  ["keys become strings", "1: a\ntrue: b", { "1": "a", true: "b" }],
  ["merge keys are followed", "a: &a {x: 1}\nb: {<<: *a}", { a: { x: 1 }, b: { x: 1 } }],
  ["nothing is null", "a:", { a: null }],
  ["JSON is YAML", '{"a": [1, "b"]}', { a: [1, "b"] }],
  ["big integers stay exact", "a: 9223372036854775807", { a: 9223372036854775807n }],
] as const) {
  test(`in YAML ${name}`, () => {
    assert.deepEqual(value(text), wanted);
  });
}

test("a repeated YAML key is named by its path and the last one wins", () => {
  const { value: read, duplicates } = decodeYaml("a: 1\nb: [{c: 1, c: 2}]\na: 2");
  assert.deepEqual(duplicates, ["b[0].c", "a"]);
  assert.deepEqual(read, { a: 2, b: [{ c: 2 }] });
});

test("malformed YAML is refused with its line", () => {
  assert.throws(() => decodeYaml("a: 1\nb: [1"), {
    name: "YamlSyntaxError",
    message: /^yaml: line 2/,
  });
});

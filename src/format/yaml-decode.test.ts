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

test("a repeated YAML key is named with its line and the last one wins", () => {
  const { value: read, duplicates } = decodeYaml("a: 1\nb: [{c: 1, c: 2}]\na: 2");
  assert.deepEqual(duplicates, [
    'line 2: key "c" already set in map',
    'line 3: key "a" already set in map',
  ]);
  assert.deepEqual(read, { a: 2, b: [{ c: 2 }] });
});

test("malformed YAML is refused with its line", () => {
  assert.throws(() => decodeYaml("a: 1\nb: [1"), {
    name: "YamlSyntaxError",
    message: /^yaml: line 2/,
  });
});

for (const [name, text] of [
  ["flow lists without end", "[".repeat(100_000)],
  ["deep flow lists", "[".repeat(20_000) + "]".repeat(20_000)],
  ["deep maps", Array.from({ length: 2_000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
  ["deep compact lists", `${"- ".repeat(20_000)}a`],
] as const) {
  test(`${name} are refused before they exhaust the stack`, () => {
    assert.throws(() => decodeYaml(text), { name: "YamlSyntaxError", message: /max depth/ });
  });
}

test("aliases that expand without end are refused", () => {
  const levels = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (const [from, to] of ["ab", "bc", "cd", "de"].map((pair) => pair.split(""))) {
    levels.push(`${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join(", ")}]`);
  }
  assert.throws(() => decodeYaml(levels.join("\n")), { name: "YamlSyntaxError" });
});

for (const [name, text] of [
  ["an alias without an anchor", "a: *x"],
  ["a second document", "a: 1\n---\nb: 1"],
  ["a tab for indentation", "a:\n\t- b"],
  ["a merge of what is no map", "a: 1\n<<: 1"],
] as const) {
  test(`${name} is refused`, () => {
    assert.throws(() => decodeYaml(text), { name: "YamlSyntaxError" });
  });
}

test("nothing at all is null", () => {
  assert.deepEqual(decodeYaml(""), { value: null, duplicates: [] });
});

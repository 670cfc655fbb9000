import assert from "node:assert/strict";
import { test } from "node:test";
import { createKubernetesEnvironment } from "../../lib/cel/kubernetes-environment.ts";
import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import { declaredSizes } from "./declared-sizes.ts";
import { compileRule } from "./rule-compiler.ts";
import { celTypeOf } from "./schema-types.ts";

type Shape = (max: number | undefined) => JSONSchemaProps;

const base = createKubernetesEnvironment();

/** "int-or-string" and formats of text are named like types. */
function typed(name: string): JSONSchemaProps {
  if (name === "int-or-string") return { "x-kubernetes-int-or-string": true };
  if (/^(duration|date|date-time|byte)$/.test(name)) return { type: "string", format: name };
  return { type: name };
}

function bounded(
  schema: JSONSchemaProps,
  bounds: Record<string, number | undefined>,
): JSONSchemaProps {
  const known = Object.entries(bounds).filter(([, value]) => value !== undefined);
  return { ...schema, ...Object.fromEntries(known) };
}

const array = (items: JSONSchemaProps): JSONSchemaProps => ({ type: "array", items });
const map = (of: JSONSchemaProps): JSONSchemaProps => ({
  type: "object",
  additionalProperties: of,
});
const PAIR: JSONSchemaProps = {
  type: "object",
  required: ["required"],
  properties: { required: { type: "string" }, optional: { type: "string" } },
};
const NUMBER = typed("number");

const listOf =
  (items: JSONSchemaProps | string): Shape =>
  (maxItems) =>
    bounded(array(typeof items === "string" ? typed(items) : items), { maxItems });
const mapOf =
  (items: JSONSchemaProps | string): Shape =>
  (maxProperties) =>
    bounded(map(typeof items === "string" ? typed(items) : items), { maxProperties });
const text: Shape = (maxLength) => bounded(typed("string"), { maxLength });
const bytes: Shape = (maxLength) => bounded(typed("byte"), { maxLength });
const texts: Shape = (max) => bounded(array(text(max)), { maxItems: max });
const textMap: Shape = (max) => bounded(map(text(max)), { maxProperties: max });
const choice: Shape = (maxLength) =>
  bounded({ type: "string", enum: ["A", "B", "C", "LongValue"] as never }, { maxLength });
const nested: Shape = (max) => {
  const inner = bounded(map(bounded(PAIR, { maxProperties: max })), { maxProperties: max });
  return bounded(array(inner), { maxItems: max });
};
const innerOnly: Shape = (max) => array(bounded(map(PAIR), { maxProperties: max }));
const replaced: Shape = (max) => ({
  type: "object",
  properties: {
    str: text(max),
    before: { type: "string", maxLength: 2 },
    after: { type: "string", maxLength: 4 },
  },
});
const separated: Shape = (max) => ({
  type: "object",
  properties: { str: text(max), separator: text(max) },
});

/** Beyond what one rule may cost. */
const EXCESSIVE = "beyond the limit";
const LIMIT = 10_000_000;

/**
 * A shape, a rule, what the rule costs at most where nothing bounds the shape, a bound, and the
 * cost with it: the figures that the tests of Kubernetes 1.32 expect.
 */
const COSTS: readonly (readonly [Shape, string, number | string, number, number])[] = [
  [listOf("number"), "self.all(x, true)", 4718591, 10, 32],
  [listOf("string"), "self.all(x, true)", 3145727, 20, 62],
  [listOf("boolean"), "self.all(x, true)", 1887437, 5, 17],
  [listOf(array(NUMBER)), "self.all(x, true)", 3145727, 100, 302],
  [listOf(PAIR), "self.all(x, true)", 555128, 50, 152],
  [mapOf("number"), "self.all(x, true)", 1348169, 10, 32],
  [mapOf("string"), "self.all(x, true)", 1179647, 3, 11],
  [mapOf("boolean"), "self.all(x, true)", 943718, 100, 302],
  [text, "self.contains('test')", 314574, 10, 5],
  [text, "self.startsWith('test')", 2, 15, 2],
  [text, "self.endsWith('test')", 2, 30, 2],
  [text, 'size(self + "hello") > size("hello")', 314578, 4, 7],
  [listOf("number"), "self[1] == 0.0", 2, 5000, 2],
  [listOf("string"), "self[1] == self[1]", 314577, 8, 314577],
  [listOf("number"), "self.all(x, self.all(y, true))", EXCESSIVE, 10, 352],
  [listOf("number"), "self.all(x, self.all(y, self.all(z, true)))", EXCESSIVE, 10, 3552],
  [text, 'self.matches("x")', 314574, 50, 22],
  [text, '"".matches("(((((((((())))))))))[0-9]")', 7, 10, 7],
  [text, 'self.matches("")', 1, 100, 1],
  [textMap, "self.all(x, x.contains(self[x]))", 2752507, 10, 72],
  [listOf("number"), "self[3] == 0.0", 2, 0, 2],
  [mapOf("number"), 'self["x"] == 0.0', 2, 0, 2],
  [text, 'self == "x"', 2, 0, 1],
  [bytes, 'self == b"x"', 2, 0, 1],
  [listOf("number"), "self.all(x, x == 0.0)", 6291454, 3 * 1024 * 2048, 25165826],
  [nested, 'self.all(x, x["y"].required == "z")', 7340027, 10, 72],
  [innerOnly, 'self.all(x, x["y"].required == "z")', 7340027, 10, 7340027],
  [listOf("int-or-string"), "self.all(x, true)", 4718591, 10, 32],
  [listOf("int-or-string"), "self[0] == 5", 3, 10, 3],
  [listOf("boolean"), "self[0] == false", 2, 25, 2],
  [listOf(PAIR), "self[0] == null", 2, 422, 2],
  [listOf(array(NUMBER)), "self[0][0] == -1.0", 3, 51, 3],
  [listOf(map(NUMBER)), "self.all(x, x.y == 25.2)", 6291452, 12, 74],
  [listOf(map(NUMBER)), "self[0].x > 2.0", 4, 3000, 4],
  [listOf("duration"), "self.all(x, true)", 2359295, 5, 17],
  [listOf("duration"), "self[0].getHours() == 2", 4, 525, 4],
  [listOf("date"), "self.all(x, true)", 725936, 15, 47],
  [listOf("date"), "self[2].getDayOfMonth() == 13", 4, 42, 4],
  [listOf("date-time"), "self.all(x, true)", 428963, 25, 77],
  [listOf("date-time"), "self[2].getMinutes() == 45", 4, 99, 4],
  [mapOf("int-or-string"), "self.all(x, true)", 1348169, 15, 47],
  [mapOf(PAIR), "self.all(x, true)", 428963, 20, 62],
  [mapOf(map(NUMBER)), "self.all(x, true)", 1179647, 10, 32],
  [mapOf(array(NUMBER)), "self.all(x, true)", 1179647, 25, 77],
  [mapOf("duration"), "self.all(x, true)", 1048577, 5, 17],
  [mapOf("date"), "self.all(x, true)", 524288, 10, 32],
  [mapOf("date-time"), "self.all(x, true)", 349526, 25, 77],
  [text, "self.find('[0-9]+') == ''", 629147, 10, 11],
  [texts, "self.join(' ') == 'aa bb'", 329853068905, 10, 43],
  [texts, "self.isSorted() == true", 329854432052, 10, 52],
  [replaced, "self.str.replace(self.before, self.after) == 'does not matter'", 629154, 4, 12],
  [separated, "self.str.split(self.separator) == []", 629160, 10, 22],
  [text, "self.lowerAscii() == 'lower!'", 314575, 10, 6],
  [mapOf("integer"), "oldSelf.size() == self.size()", 5, 10, 5],
  [mapOf("date-time"), 'self["a"] == self["b"]', 8, 7, 8],
  [mapOf("duration"), 'self["c"] == self["d"]', 8, 42, 8],
  [choice, "self.contains('A')", 2, 1000, 401],
];

function costOf(schema: JSONSchemaProps, rule: string): number | string | undefined {
  const type = celTypeOf(schema, false);
  assert.ok(type, rule);
  const { sizeOf } = declaredSizes(schema, false);
  const { program, error } = compileRule({ rule }, { schema, type, base, sizeOf });
  return error ?? program?.costMax;
}

test("rules cost at most what 1.32 expects of them, with bounds and without", () => {
  const found = COSTS.map(([shape, rule, free, max]) => {
    const without = costOf(shape(undefined), rule);
    const isExcessive = free === EXCESSIVE && Number(without) > LIMIT;
    return [shape, rule, isExcessive ? EXCESSIVE : without, max, costOf(shape(max), rule)];
  });
  assert.deepEqual(
    found.map(([, ...row]) => row),
    COSTS.map(([, ...row]) => row),
  );
});

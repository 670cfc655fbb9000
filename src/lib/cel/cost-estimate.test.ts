import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "./checker.ts";
import { estimateCost } from "./cost-estimate.ts";
import { UNBOUNDED } from "./cost-range.ts";
import { withVariables } from "./environment.ts";
import { valueOfJson } from "./json-values.ts";
import { createKubernetesEnvironment } from "./kubernetes-environment.ts";
import { parse } from "./parser.ts";
import { compile } from "./program.ts";
import { INT, listOf, mapOf, objectOf, STRING } from "./types.ts";

const SELF = objectOf("object", {
  name: STRING,
  size: INT,
  tags: listOf(STRING),
  labels: mapOf(STRING, STRING),
});
const SIZES: Readonly<Record<string, number>> = {
  name: 100,
  size: 0,
  tags: 20,
  "tags.@items": 40,
  labels: 10,
  "labels.@keys": 0,
  "labels.@values": 30,
};
const ENVIRONMENT = withVariables(createKubernetesEnvironment(), { self: SELF });

function estimate(source: string): [number, number] {
  const root = parse(source, ENVIRONMENT);
  const checked = check(root, ENVIRONMENT);
  assert.deepEqual(checked.issues, [], source);
  const { min, max } = estimateCost(root, { checked, sizeOf: (path) => SIZES[path.join(".")] });
  return [min, max];
}

test("estimates are those of the reference implementation", () => {
  const cases: [string, number, number][] = [
    ["self.size", 2, 2],
    ["self.size == 5", 2, 2],
    ["has(self.name)", 1, 1],
    ["self.name == 'web'", 3, 3],
    ["self.name == self.name", 5, 14],
    ["self.name.startsWith('web')", 3, 3],
    ["self.name.contains('0123456789x')", 2, 22],
    ["self.name.matches('^[a-z]+$')", 4, 24],
    ["self.tags.all(t, true)", 3, 63],
    ["self.tags.exists(t, t == 'a')", 3, 123],
    ["self.tags.exists_one(t, t == 'a')", 4, 84],
    ["self.tags.map(t, t + '!').size() < 5", 15, 375],
    ["self.tags.filter(t, t != 'a').size() < 5", 15, 315],
    ["self.labels.all(k, self.labels[k] != '')", 3, 73],
    ["self.tags.all(a, self.tags.all(b, a == b))", 3, 3723],
    ["'a' in self.tags", 2, 22],
    ["self.size > 1 && self.name == 'web'", 3, 6],
    ["self.size > 1 ? self.name : 'none'", 3, 5],
    ["self.tags.isSorted()", 2, 102],
    ["self.tags.join(',').size() < 5", 4, 86],
    ["quantity('1Gi').isGreaterThan(quantity('1Mi'))", 3, 3],
    ["cidr('10.0.0.0/8').containsIP('10.1.2.3')", 3, 6],
    ["sets.contains(self.tags, ['a', 'b'])", 13, 53],
    ["self.?name.optMap(n, n + '!').orValue('') != 'x!'", 6, UNBOUNDED / 10],
    ["[1, 2].transformList(i, v, v > 1, v * 2).size() == 1", 29, 55],
    ["{'a': 1}.transformMap(k, v, v + 1) == {}", 96, 96],
  ];
  const found = cases.map(([source]) => [source, ...estimate(source)]);
  assert.deepEqual(found, cases);
});

test("no evaluation costs more than its estimate says", () => {
  const object = {
    name: "web".repeat(20),
    size: 3,
    tags: Array.from({ length: 20 }, (_, at) => `tag-${at}`),
    labels: { app: "web", tier: "front" },
  };
  const variables = { self: valueOfJson(object, SELF) };
  const sources = [
    "self.tags.all(t, t.startsWith('tag'))",
    "self.tags.exists(t, t == 'tag-19')",
    "self.tags.exists_one(t, t == 'tag-1')",
    "self.tags.map(t, t + '!').exists(t, t.contains('9!'))",
    "self.tags.filter(t, t.matches('[02468]$')).size() == 10",
    "self.labels.all(k, self.labels[k].size() > 2)",
    "self.tags.all(a, self.tags.exists(b, a == b))",
    "self.name.replace('web', 'x').size() == 20",
    "self.?name.optMap(n, n.size()).orValue(0) == 60",
    "self.tags.transformList(i, t, i > 3, t + '?').size() == 16",
  ];
  for (const source of sources) {
    const [min, max] = estimate(source);
    const { value, cost } = compile(source, ENVIRONMENT).evaluate(variables, 1_000_000);
    assert.equal(value, true, source);
    assert.ok(min <= cost && cost <= max, `${source}: ${min} <= ${cost} <= ${max}`);
  }
});

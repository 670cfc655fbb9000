import assert from "node:assert/strict";
import { test } from "node:test";
import { createKubernetesEnvironment } from "./kubernetes-environment.ts";
import { withVariables } from "./environment.ts";
import { valueOfJson } from "./json-values.ts";
import { compile } from "./program.ts";
import { DYN, INT, listOf, mapOf, objectOf, STRING, TIMESTAMP } from "./types.ts";

const SELF = objectOf("object", {
  name: STRING,
  size: INT,
  tags: listOf(STRING),
  labels: mapOf(STRING, STRING),
  created: TIMESTAMP,
  any: DYN,
});
const OBJECT = {
  name: "web",
  size: 3,
  tags: ["a", "b"],
  labels: { app: "web" },
  created: "2024-02-29T12:30:00Z",
  any: { deep: [1, 2.5, "x"] },
};
const ENVIRONMENT = withVariables(createKubernetesEnvironment(), { self: SELF });
const VARIABLES = { self: valueOfJson(OBJECT, SELF) };

/** Each must be true. */
const TRUE: readonly string[] = [
  // Arithmetic is exact.
  "9223372036854775807 - 1 == 9223372036854775806",
  "18446744073709551615u > 9223372036854775807u",
  "-7 / 2 == -3 && -7 % 2 == -1",
  "1.5 + 1.5 == 3.0 && 3.0 == dyn(3)",
  "0x1F == 31",
  // Text counts characters, not code units.
  "size('😀é') == 2 && '😀é'.charAt(1) == 'é'",
  "'a,b,,c'.split(',') == ['a', 'b', '', 'c']",
  "'tacocat'.indexOf('c', 3) == 4 && 'tacocat'.lastIndexOf('a') == 5",
  "'hello'.replace('l', 'L', 1) == 'heLlo'",
  "['x', 'y'].join('-') == 'x-y'",
  "'%s has %d (%.2f)'.format(['a', 2, 1.5]) == 'a has 2 (1.50)'",
  "r'\\d' == '\\\\d' && b'\\xff' != b'\\xfe'",
  // Macros.
  "self.tags.all(t, t.size() == 1) && self.tags.exists(t, t == 'b')",
  "self.tags.exists_one(t, t == 'a')",
  "self.tags.map(t, t != 'a', t + '!') == ['b!']",
  "self.labels.all(k, self.labels[k] == 'web')",
  "[1, 2, 3].transformList(i, v, i > 0, v * 10) == [20, 30]",
  "{'a': 1}.transformMap(k, v, v + 1) == {'a': 2}",
  "[3, 4].all(i, v, v == i + 3)",
  // Errors are absorbed by the deciding side.
  "1 / 0 == 1 || true",
  "!(1 / 0 == 1 && false)",
  "[0, 2].exists(x, 4 / x == 2)",
  // Fields.
  "has(self.name) && !has(self.any.nope)",
  "self.any.deep[1] == 2.5 && type(self.any.deep[0]) == int",
  "self.?any.?deep[?9].orValue('none') == 'none'",
  "optional.of(2).optMap(x, x * 2).value() == 4",
  "'app' in self.labels && !('x' in self.tags)",
  // Time.
  "self.created.getDayOfYear() == 59 && self.created.getHours('+02:00') == 14",
  "self.created.getDayOfWeek('America/New_York') == 4",
  "self.created + duration('1h30m') == timestamp('2024-02-29T14:00:00Z')",
  "string(duration('90m')) == '5400s'",
  // Libraries of Kubernetes.
  "[1, 2, 3].sum() == 6 && [3, 1, 2].max() == 3 && !['b', 'a'].isSorted()",
  "['a', 'b', 'a'].lastIndexOf('a') == 2",
  "'abc 123'.find('[0-9]+') == '123' && 'a1b22'.findAll('[0-9]+') == ['1', '22']",
  "self.name.matches('^[a-z]+$')",
  "url('https://u:p@example.com:80/a b?k=1&k=2').getHost() == 'example.com:80'",
  "url('https://[::1]:80/').getHostname() == '::1'",
  "url('https://example.com/path?k=1&k=2').getQuery()['k'] == ['1', '2']",
  "!isURL('../relative') && isURL('/absolute')",
  "quantity('1.5Gi').compareTo(quantity('1536Mi')) == 0 && quantity('50k').asInteger() == 50000",
  "quantity('1').add(quantity('500m')).isGreaterThan(quantity('1400m'))",
  "isIP('::1') && !isIP('::ffff:1.2.3.4') && ip('127.0.0.1').isLoopback()",
  "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsCIDR('10.0.0.0/7')",
  "ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:DB8::1')",
  "string(cidr('192.168.1.7/24').masked()) == '192.168.1.0/24'",
  "!format.dns1123Label().validate('ok').hasValue()",
  "format.named('dns1123Label').value().validate('Not OK').value().size() == 1",
  "sets.contains([1, 2, 3], [2]) && sets.intersects([1], [1, 2])",
];

test("expressions hold", () => {
  for (const source of TRUE) {
    const { value } = compile(source, ENVIRONMENT).evaluate(VARIABLES, 1_000_000);
    assert.equal(value, true, source);
  }
});

test("evaluation fails in the words of the reference", () => {
  const cases: [string, string][] = [
    ["1 / 0", "division by zero"],
    ["9223372036854775807 + 1", "integer overflow"],
    ["self.labels['nope']", "no such key: nope"],
    ["self.tags[5]", "index out of bounds: 5"],
    ["self.any.deep.nope", "no such overload"],
    ["self.any < 5", "no such overload"],
    ["int('x')", "type conversion error from 'string' to 'int'"],
    ["optional.none().value()", "optional.none() dereference"],
    ["ip('x')", 'IP Address "x" parse error during conversion from string: ParseAddr("x")'],
  ];
  for (const [source, message] of cases) {
    const evaluate = () => compile(source, ENVIRONMENT).evaluate(VARIABLES, 1_000_000);
    assert.throws(evaluate, (error: Error) => error.message.startsWith(message), source);
  }
});

test("what cannot be compiled is shown with its place", () => {
  const cases: [string, string][] = [
    ["self.nope", "1:5: undefined field 'nope'\n | self.nope\n | ....^"],
    ["nope == 1", "1:1: undeclared reference to 'nope' (in container '')\n | nope == 1\n | ^"],
    [
      "self.size == 'x'",
      "1:11: found no matching overload for '_==_' applied to '(int, string)'\n" +
        " | self.size == 'x'\n | ..........^",
    ],
    ["self.name.foo()", "1:14: undeclared reference to 'foo' (in container '')"],
    ["size(5)", "1:5: found no matching overload for 'size' applied to '(int)'"],
    [
      "'a'.contains(1)",
      "1:13: found no matching overload for 'contains' applied to 'string.(int)'",
    ],
    ["self.size && true", "1:5: expected type 'bool' but found 'int'"],
    ["[1, 'a']", "1:5: expected type 'int' but found 'string'"],
    ["self.size.all(x, x)", "1:5: expression of type 'int' cannot be range of a comprehension"],
    ["self.name.size.foo", "1:10: type 'string' does not support field selection"],
    ["1 +", "1:4: Syntax error: mismatched input '<EOF>' expecting {"],
    ["1 2", "1:3: Syntax error: extraneous input '2' expecting <EOF>"],
    ["has(self)", "1:5: invalid argument to has() macro"],
    ["self.name.matches('(')", "1:19: invalid matches argument"],
    ["duration('1x')", "1:10: invalid duration argument"],
    ["package", "1:1: reserved identifier: package"],
  ];
  for (const [source, message] of cases) {
    assert.throws(
      () => compile(source, ENVIRONMENT),
      (error: Error) => error.message.startsWith(`ERROR: <input>:${message}`),
      source,
    );
  }
});

test("hostile expressions end", () => {
  const run = (source: string) => () => compile(source, ENVIRONMENT).evaluate(VARIABLES, 1_000_000);
  const ten = "[0,1,2,3,4,5,6,7,8,9]";
  const nested = `${ten}.all(a, ${ten}.all(b, ${ten}.all(c, ${ten}.all(d, ${ten}.all(e, `;
  const message = "operation cancelled: actual cost limit exceeded";
  assert.throws(run(`${nested}${ten}.all(f, true))))))`), { message });
  assert.throws(run("(".repeat(5000) + "1" + ")".repeat(5000)), /recursion limit exceeded/);
  assert.throws(run(`1${" + 1".repeat(5000)}`), /recursion limit exceeded/);
  assert.throws(run("!".repeat(50_000) + "x"), /undeclared reference/);
});

test("costs are those of the reference implementation", () => {
  const cases: [string, number][] = [
    ["self.size", 2],
    ["self.size > 2", 3],
    ["has(self.name)", 1],
    ["self.tags.all(t, t == 'a' || true)", 2 + 2 * (3 + 2) + 1],
    ["[1, 2]", 10],
  ];
  for (const [source, cost] of cases) {
    assert.equal(compile(source, ENVIRONMENT).evaluate(VARIABLES, 1000).cost, cost, source);
  }
});

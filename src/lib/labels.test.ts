import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatLabelSelector,
  type LabelRequirement,
  LabelSelectorError,
  matchesLabels,
  matchesSelector,
  parseLabelSelector,
} from "./labels.ts";
import { dns1123LabelErrors, portNameErrors, qualifiedNameErrors } from "./names.ts";

test("each form of a selector selects as documented", () => {
  const labels = { app: "web", tier: "front", weight: "5", empty: "" };
  const cases: [string, boolean][] = [
    ["", true],
    ["app=web", true],
    ["app==web,tier!=back", true],
    ["app = web , tier in (front, back)", true],
    ["tier notin (front)", false],
    ["missing notin (x)", true],
    ["missing!=x", true],
    ["missing=x", false],
    ["app", true],
    ["!app", false],
    ["! missing", true],
    ["empty=", true],
    ["empty=,app", true],
    ["app in (web,)", true],
    ["weight>4", true],
    ["weight<5", false],
    ["app>1", false],
    ["in in (in)", false],
    ["toString", false],
  ];
  for (const [text, wanted] of cases) {
    assert.equal(matchesLabels(parseLabelSelector(text), labels), wanted, text);
  }
});

test("what is no selector is refused", () => {
  const bad = ["a b", "a=b,", ",a", "a in x", "a in (x", "a=b c", "=x", "a/b/c", "a=$", "a>x", "!"];
  for (const text of bad) assert.throws(() => parseLabelSelector(text), LabelSelectorError, text);
});

test("an absent selector object matches nothing, an empty one everything", () => {
  assert.equal(matchesSelector(undefined, { a: "b" }), false);
  assert.equal(matchesSelector({}, undefined), true);
  assert.equal(matchesSelector({ matchLabels: { a: "b" } }, { a: "b" }), true);
  const expressions = [{ key: "a", operator: "In", values: ["c"] }];
  assert.equal(
    matchesSelector({ matchLabels: {}, matchExpressions: expressions }, { a: "b" }),
    false,
  );
});

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/).filter((text) => !/^(in|notin)$/.test(text));
const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({
    key: name,
    operator: fc.constantFrom("In" as const, "NotIn" as const),
    values: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }).map((values) => values.toSorted()),
  }),
  fc.record({
    key: name,
    operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const),
    values: fc.constant([]),
  }),
);

test("law: a selector survives writing and reading", () => {
  fc.assert(
    fc.property(fc.array(requirement), fc.dictionary(name, name), (requirements, labels) => {
      const text = formatLabelSelector(requirements);
      const read = parseLabelSelector(text);
      assert.equal(formatLabelSelector(read), text);
      assert.equal(matchesLabels(read, labels), matchesLabels(requirements, labels));
    }),
  );
});

test("law: a condition and its opposite part the world", () => {
  const opposite = { In: "NotIn", NotIn: "In", Exists: "DoesNotExist", DoesNotExist: "Exists" };
  fc.assert(
    fc.property(requirement, fc.dictionary(name, name), (one, labels) => {
      const operator = opposite[
        one.operator as keyof typeof opposite
      ] as LabelRequirement["operator"];
      const other = { ...one, operator };
      assert.notEqual(matchesLabels([one], labels), matchesLabels([other], labels));
    }),
  );
});

test("names are judged in the words users know", () => {
  assert.deepEqual(dns1123LabelErrors("web-1"), []);
  assert.deepEqual(dns1123LabelErrors("Web"), [
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and " +
      "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex " +
      "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ]);
  assert.equal(qualifiedNameErrors("example.com/name").length, 0);
  assert.equal(qualifiedNameErrors("/name").length, 1);
  assert.equal(qualifiedNameErrors("a/b/c").length, 1);
  assert.equal(portNameErrors("http").length, 0);
  assert.equal(portNameErrors("80").length, 1);
});

test("what is wrong with a selector is said in upstream's words, for its place", () => {
  for (const [text, message] of [
    ["=b", "found '=', expected: !, identifier, or 'end of string'"],
    ["a,,b", "found ',', expected: identifier after ','"],
    ["a=b c", "found 'c', expected: ',' or 'end of string'"],
    ["a in b", "unable to parse requirement: found 'b' expected: '('"],
    [
      "/b=c",
      'unable to parse requirement: <nil>: Invalid value: "/b": prefix part must be non-empty',
    ],
  ] as const) {
    assert.throws(() => parseLabelSelector(text), { message }, text);
  }
  assert.throws(() => parseLabelSelector("a>b"), {
    message:
      "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, " +
      "the value must be an integer",
  });
});

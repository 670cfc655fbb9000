import assert from "node:assert/strict";
import { test } from "node:test";
import { createKubernetesEnvironment } from "../../lib/cel/kubernetes-environment.ts";
import type { JSONSchemaProps } from "../generated/types/apiextensions-v1.ts";
import { createObjectValidator } from "./object-validation.ts";

const environment = createKubernetesEnvironment();

/** Complaints as kubectl prints them. */
function complaints(spec: JSONSchemaProps, value: unknown, old?: unknown): string[] {
  const schema: JSONSchemaProps = { type: "object", properties: { spec } };
  const validate = createObjectValidator(schema, () => environment);
  const wrap = (inner: unknown) => (inner === undefined ? undefined : { spec: inner });
  return validate(wrap(value), wrap(old)).map(({ field, message }) => `${field}: ${message}`);
}

const INT: JSONSchemaProps = { type: "integer" };
const STRING: JSONSchemaProps = { type: "string" };

test("values are checked in the words of upstream", () => {
  const cases: [JSONSchemaProps, unknown, string[]][] = [
    [INT, "x", ['spec: Invalid value: "string": spec in body must be of type integer: "string"']],
    [{ type: "number", multipleOf: 0.1 }, 0.3, []],
    [
      { ...STRING, pattern: "^[a-z]+$", minLength: 2 },
      "A",
      [
        'spec: Invalid value: "A": spec in body should be at least 2 chars long',
        "spec: Invalid value: \"A\": spec in body should match '^[a-z]+$'",
      ],
    ],
    [
      { ...STRING, format: "date-time" },
      "soon",
      ['spec: Invalid value: "soon": spec in body must be of type date-time: "soon"'],
    ],
    [{ ...STRING, format: "no-such-format" }, "x", []],
    [{ ...STRING, format: "ipv4" }, "10.0.0.1", []],
    [
      { type: "object", maxProperties: 1, additionalProperties: INT },
      { a: 1, b: 2 },
      ["spec: Too many: 2: must have at most 1 items"],
    ],
    [
      { oneOf: [{ required: ["a"] }, { required: ["b"] }], type: "object" },
      { a: 1, b: 2 },
      [
        '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). ' +
          "Found 2 valid alternatives",
      ],
    ],
    [
      { anyOf: [{ minimum: 5 }, { maximum: 1 }], type: "integer" },
      3,
      [
        '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
        "spec: Invalid value: 3: spec in body should be greater than or equal to 5",
      ],
    ],
    [
      { not: { enum: ["x"] }, type: "string" },
      "x",
      ['<nil>: Invalid value: "": "spec" must not validate the schema (not)'],
    ],
    [
      { type: "array", items: STRING, "x-kubernetes-list-type": "set" },
      ["a", "b", "a", "a"],
      ['spec[2]: Duplicate value: "a"'],
    ],
    [
      {
        type: "array",
        items: { type: "object", properties: { name: STRING, port: INT } },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      },
      [{ name: "a" }, { name: "a", port: 2 }],
      ['spec[1]: Duplicate value: map[string]interface {}{"name":"a"}'],
    ],
    [{ ...INT, nullable: true }, null, []],
  ];
  for (const [schema, value, wanted] of cases) {
    assert.deepEqual(complaints(schema, value), wanted, JSON.stringify(schema));
  }
});

const SCALED: JSONSchemaProps = {
  type: "object",
  properties: { min: INT, max: INT, name: STRING, "my.field": STRING },
  "x-kubernetes-validations": [
    { rule: "self.min <= self.max", message: "min must not exceed max", fieldPath: ".min" },
    {
      rule: "!has(self.name) || self.name.startsWith('web')",
      messageExpression: "'name ' + self.name + ' must start with web'",
      reason: "FieldValueForbidden",
    },
    { rule: "!has(self.my__dot__field) || self.my__dot__field != 'x'" },
  ],
};

test("rules are evaluated, with their messages, reasons and places", () => {
  assert.deepEqual(complaints(SCALED, { min: 1, max: 2, name: "web" }), []);
  assert.deepEqual(complaints(SCALED, { min: 3, max: 2, name: "db", "my.field": "x" }), [
    'spec.min: Invalid value: "object": min must not exceed max',
    "spec: Forbidden: name db must start with web",
    'spec: Invalid value: "object": failed rule: ' +
      "!has(self.my__dot__field) || self.my__dot__field != 'x'",
  ]);
  assert.deepEqual(complaints(SCALED, { min: 1 }), [
    'spec: Invalid value: "object": no such key: max evaluating rule: min must not exceed max',
  ]);
});

test("objects within objects say what they are", () => {
  const schema: JSONSchemaProps = {
    type: "object",
    "x-kubernetes-embedded-resource": true,
    "x-kubernetes-preserve-unknown-fields": true,
  };
  assert.deepEqual(complaints(schema, { apiVersion: "v1", kind: "Pod", spec: {} }), []);
  assert.deepEqual(complaints(schema, { apiVersion: "v1" }), [
    "spec.kind: Required value: must not be empty",
  ]);
});

test("rules wait until the values are right", () => {
  const [first, second] = complaints(SCALED, { min: "x", max: 2 });
  assert.match(first ?? "", /must be of type integer/);
  assert.equal(
    second,
    '<nil>: Invalid value: "null": some validation rules were not checked because the object was ' +
      "invalid; correct the existing errors to complete validation",
  );
});

test("transition rules see what was there before", () => {
  const immutable = { ...STRING, "x-kubernetes-validations": [{ rule: "self == oldSelf" }] };
  const failed = 'Invalid value: "string": failed rule: self == oldSelf';
  assert.deepEqual(complaints(immutable, "a"), []);
  assert.deepEqual(complaints(immutable, "a", "a"), []);
  assert.deepEqual(complaints(immutable, "b", "a"), [`spec: ${failed}`]);
  const list: JSONSchemaProps = {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    items: { type: "object", properties: { name: STRING, value: immutable } },
  };
  const old = [
    { name: "a", value: "1" },
    { name: "b", value: "2" },
  ];
  const moved = [
    { name: "b", value: "9" },
    { name: "c", value: "3" },
    { name: "a", value: "1" },
  ];
  assert.deepEqual(complaints(list, moved, old), [`spec[0].value: ${failed}`]);
  const once = {
    ...STRING,
    "x-kubernetes-validations": [
      { rule: "oldSelf.hasValue() || self == 'new'", optionalOldSelf: true },
    ],
  };
  assert.equal(complaints(once, "x").length, 1);
  assert.deepEqual(complaints(once, "y", "x"), []);
});

test("what did not change is not validated again", () => {
  const stricter: JSONSchemaProps = {
    type: "object",
    properties: {
      name: { ...STRING, maxLength: 3, "x-kubernetes-validations": [{ rule: "self != 'wrong'" }] },
      other: INT,
    },
  };
  assert.deepEqual(complaints(stricter, { name: "wrong", other: 2 }, { name: "wrong" }), []);
  assert.equal(complaints(stricter, { name: "wrong!", other: 2 }, { name: "wrong" }).length, 2);
});

test("rules read types that the schema declares", () => {
  const schema: JSONSchemaProps = {
    type: "object",
    properties: {
      when: { ...STRING, format: "date-time" },
      size: { "x-kubernetes-int-or-string": true },
      ratio: { type: "number" },
      tags: { type: "array", items: STRING, "x-kubernetes-list-type": "set" },
    },
    "x-kubernetes-validations": [
      { rule: "self.when > timestamp('2020-01-01T00:00:00Z')" },
      { rule: "type(self.size) == int ? self.size > 1 : self.size == '50%'" },
      { rule: "self.ratio < 0.5" },
      { rule: "self.tags == ['b', 'a']" },
    ],
  };
  const right = { when: "2024-01-01T00:00:00Z", size: "50%", ratio: 0, tags: ["a", "b"] };
  assert.deepEqual(complaints(schema, right), []);
  const wrong = { when: "2019-01-01T00:00:00Z", size: 1, ratio: 1, tags: ["a"] };
  assert.equal(complaints(schema, wrong).length, 4);
});

test("a costly rule is stopped", () => {
  const schema: JSONSchemaProps = {
    type: "array",
    items: INT,
    "x-kubernetes-validations": [
      { rule: "self.all(a, self.all(b, self.all(c, a + b + c >= 0)))", message: "costly" },
    ],
  };
  const value = Array.from({ length: 200 }, (_, at) => at);
  assert.deepEqual(complaints(schema, value), [
    "spec: Invalid value: \"array\": 'operation cancelled: actual cost limit exceeded': " +
      "no further validation rules will be run due to call cost exceeds limit for rule: costly",
  ]);
});

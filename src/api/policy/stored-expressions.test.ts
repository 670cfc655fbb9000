import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CUSTOM_RESOURCE_DEFINITIONS,
  VALIDATING_ADMISSION_POLICIES,
  VALIDATING_WEBHOOK_CONFIGURATIONS,
} from "../generated/resources.ts";
import { validateObject } from "../validation/validate-object.ts";

const WITH_TWO = [
  "[1].all(i, x, x > i)",
  "[1].exists(i, x, x > i)",
  "[1].existsOne(i, x, x > i)",
  "[1].exists_one(i, x, x > i)",
  "[1].transformList(i, x, x + i) == [1]",
  "[1].transformList(i, x, i > 0, x) == [1]",
  "{'a': 1}.transformMap(k, x, x + 1) == {'a': 2}",
  "{'a': 1}.transformMap(k, x, x > 0, x) == {'a': 2}",
  "{'a': 'b'}.transformMapEntry(k, x, {x: k}) == {'b': 'a'}",
];
const WITH_ONE = ["[1].all(x, x > 0)", "[1].exists_one(x, x > 0)", "[1].map(x, x > 0, x) == [1]"];

const RULES = [
  { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] },
];

/** Objects that hold an expression, each in a place of its own. */
const PLACES: readonly (readonly [string, (expression: string, more: string) => object])[] = [
  ["a rule of a definition", definition],
  ["a validation", (expression, more) => policy({ validations: [{ expression }] }, more)],
  [
    "a condition of a policy",
    (expression, more) => policy({ matchConditions: [{ name: "a", expression }] }, more),
  ],
  ["a variable", (expression, more) => policy({ variables: [{ name: "a", expression }] }, more)],
  [
    "an annotation",
    (source, more) =>
      policy({ auditAnnotations: [{ key: "a", valueExpression: `string(${source})` }] }, more),
  ],
  [
    "a message",
    (source, more) =>
      policy(
        { validations: [{ expression: "true", messageExpression: `string(${source})` }] },
        more,
      ),
  ],
  ["a condition of a webhook", webhook],
];

function policy(spec: object, more: string): object {
  return {
    metadata: { name: "p" },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: { matchPolicy: "Equivalent", resourceRules: RULES },
      validations: [{ expression: "true", message: more }],
      ...spec,
      paramKind: { apiVersion: "v1", kind: more },
    },
  };
}

function webhook(expression: string, more: string): object {
  const one = {
    name: `${more.toLowerCase()}.example.com`,
    clientConfig: { url: "https://example.com/a" },
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    rules: RULES,
    matchConditions: [{ name: "a", expression }],
  };
  return { metadata: { name: "w" }, webhooks: [one] };
}

function definition(rule: string, more: string): object {
  const names = { plural: "cars", singular: "car", kind: "Car", listKind: "CarList" };
  const openAPIV3Schema = {
    type: "object",
    description: more,
    "x-kubernetes-validations": [{ rule }],
  };
  const version = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema } };
  return {
    metadata: { name: "cars.example.com" },
    spec: { group: "example.com", scope: "Namespaced", names, versions: [version] },
    status: { storedVersions: ["v1"] },
  };
}

function complaints(now: object, old?: object): string {
  const resource =
    "webhooks" in now
      ? VALIDATING_WEBHOOK_CONFIGURATIONS
      : "status" in now
        ? CUSTOM_RESOURCE_DEFINITIONS
        : VALIDATING_ADMISSION_POLICIES;
  const causes = validateObject(resource, now, old ? { old } : {});
  return causes.map(({ message }) => message).join();
}

for (const [name, holding] of PLACES) {
  test(`${name} has macros of two variables only where it had them before`, () => {
    for (const source of WITH_TWO) {
      const made = complaints(holding(source, "Before"));
      assert.match(made, /undeclared reference to '(all|exists|transform|i|k)/, source);
      const kept = complaints(holding(source, "After"), holding(source, "Before"));
      assert.doesNotMatch(kept, /undeclared/, source);
      const changed = complaints(holding(source, "After"), holding("true", "Before"));
      assert.match(changed, /undeclared reference to/, source);
    }
    for (const source of WITH_ONE) {
      assert.doesNotMatch(complaints(holding(source, "Before")), /undeclared/);
    }
    // What 1.32 has in no version: two arguments under the newer name.
    const odd = complaints(holding("[1].existsOne(x, x > 0)", "Before"));
    assert.match(odd, /undeclared reference to 'existsOne'/);
  });
}

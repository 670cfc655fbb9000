import assert from "node:assert/strict";
import { test } from "node:test";
import type { ValidatingAdmissionPolicySpec } from "../../../api/generated/types/admissionregistration-v1.ts";
import { valueOfJson } from "../../../lib/cel/json-values.ts";
import { createKubernetesEnvironment } from "../../../lib/cel/kubernetes-environment.ts";
import { DYN } from "../../../lib/cel/types.ts";
import { compilePolicy } from "./compiled-policy.ts";
import { type Decisions, decide } from "./policy-decisions.ts";
import type { PolicyInput } from "./policy-input.ts";

const numbers = Array.from({ length: 450 }, (_, at) => at);
const input = { object: valueOfJson({ numbers }, DYN) } as unknown as PolicyInput;
const base = createKubernetesEnvironment();

/** Some 600,000 of the ten million that a policy has. */
const COSTLY = "object.numbers.all(x, object.numbers.all(y, true))";
const OUT_OF_BUDGET =
  "validation failed due to running out of cost budget, no further validation rules will be run";

function told(spec: ValidatingAdmissionPolicySpec, ignoresFailures = false): Decisions {
  return decide(compilePolicy({ spec }, base), { input, param: null, ignoresFailures });
}

function times(count: number, expression: string): { expression: string }[] {
  return Array.from({ length: count }, () => ({ expression }));
}

test("checks that run out of the budget leave nothing but that to be said", () => {
  const validations = [{ expression: "false" }, ...times(20, COSTLY)];
  const { denials } = told({ validations });
  assert.deepEqual(denials, [{ index: 0, message: OUT_OF_BUDGET, reason: undefined }]);
  assert.deepEqual(told({ validations }, true).denials, []);
});

test("messages have what the checks leave, and the longest is told in bytes", () => {
  const costly = `string(${COSTLY})`;
  const many = times(11, "false").map((each) => ({ ...each, messageExpression: costly }));
  const some = told({ validations: [...many.slice(0, 6), ...times(4, COSTLY)] });
  assert.deepEqual(
    some.denials.map(({ message }) => message),
    times(6, "true").map(({ expression }) => expression),
  );
  // The checks come first, so that it is messages that run out.
  const all = told({ validations: [...many, ...times(10, COSTLY)] });
  assert.equal(all.denials.length, 11);
  assert.equal(all.denials[0]?.message, `failed messageExpression: ${OUT_OF_BUDGET}`);
  const long = `'${"é".repeat(2600)}'`;
  const [denial] = told({
    validations: [{ expression: "false", messageExpression: long }],
  }).denials;
  assert.equal(denial?.message, "failed expression: false");
});

test("audit annotations that run out of the budget take the place of all that is said", () => {
  const auditAnnotations = times(20, `string(${COSTLY})`).map(({ expression }, at) => {
    return { key: `k${at}`, valueExpression: expression };
  });
  const spec = { validations: [{ expression: "false" }], auditAnnotations };
  assert.deepEqual(told(spec), {
    denials: [{ index: 0, message: OUT_OF_BUDGET, reason: undefined }],
    annotations: [],
    annotationErrors: [],
  });
  assert.deepEqual(told(spec, true).denials, []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  VALIDATING_ADMISSION_POLICIES,
  VALIDATING_ADMISSION_POLICY_BINDINGS,
} from "../../generated/resources.ts";
import type {
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicySpec,
} from "../../generated/types/admissionregistration-v1.ts";
import { validateObject } from "../validate-object.ts";

const RULES: ValidatingAdmissionPolicySpec["matchConstraints"] = {
  matchPolicy: "Equivalent",
  resourceRules: [
    {
      apiGroups: ["apps"],
      apiVersions: ["v1"],
      operations: ["CREATE"],
      resources: ["deployments"],
    },
  ],
};
const SPEC: ValidatingAdmissionPolicySpec = {
  failurePolicy: "Fail",
  matchConstraints: RULES,
  validations: [{ expression: "object.spec.replicas <= 5" }],
};

function complaints(spec: ValidatingAdmissionPolicySpec): string[] {
  const policy = { metadata: { name: "p" }, spec: { ...SPEC, ...spec } };
  const causes = validateObject(VALIDATING_ADMISSION_POLICIES, policy);
  return causes.map(({ field, message }) => `${field}: ${message}`);
}

test("policies are checked in the words of upstream", () => {
  const cases: [ValidatingAdmissionPolicySpec, string[]][] = [
    [{}, []],
    [
      { validations: [] },
      ["validations", "auditAnnotations"].map((name) => {
        const why = "validations or auditAnnotations must contain at least one item";
        return `spec.${name}: Required value: ${why}`;
      }),
    ],
    [{ validations: [{ expression: "object.spec.replicas" }] }, []],
    [
      { validations: [{ expression: "1 + 1" }] },
      ['spec.validations[0].expression: Invalid value: "1 + 1": must evaluate to bool but got int'],
    ],
    [
      { validations: [{ expression: "params.x == 1" }] },
      [
        'spec.validations[0].expression: Invalid value: "params.x == 1": compilation failed: ' +
          "ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n" +
          " | params.x == 1\n | ^",
      ],
    ],
    [
      {
        variables: [{ name: "a-b", expression: "1" }],
        validations: [{ expression: "true", reason: "Nope" }],
      },
      [
        'spec.variables[0].name: Invalid value: "a-b": name is not a valid CEL identifier',
        'spec.validations[0].reason: Unsupported value: "Nope": supported values: "Forbidden", ' +
          '"Invalid", "RequestEntityTooLarge"',
      ],
    ],
    [
      {
        variables: [
          { name: "a", expression: "1" },
          { name: "b", expression: "variables.a + 1" },
        ],
        validations: [{ expression: "variables.b == 2" }],
      },
      [],
    ],
    [
      { validations: [{ expression: "true", messageExpression: "authorizer.path('/')" }] },
      [
        "spec.validations[0].messageExpression: Invalid value: \"authorizer.path('/')\": " +
          "compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' " +
          "(in container '')\n | authorizer.path('/')\n | ^",
      ],
    ],
    [
      // Bytes count, not characters.
      { auditAnnotations: [{ key: "k", valueExpression: `'${"é".repeat(2600)}'` }] },
      [
        "spec.auditAnnotations[0].valueExpression: Required value: " +
          "must not exceed 5120 bytes in length",
      ],
    ],
    [
      { auditAnnotations: [{ key: "k", valueExpression: "1" }] },
      [
        'spec.auditAnnotations[0].valueExpression: Invalid value: "1": must evaluate to one of ' +
          "[string null_type] but got int",
      ],
    ],
    [
      { matchConditions: [{ name: "c", expression: "request.nope" }] },
      [
        'spec.matchConditions[0].expression: Invalid value: "request.nope": compilation failed: ' +
          "ERROR: <input>:1:8: undefined field 'nope'\n | request.nope\n | .......^",
      ],
    ],
    [
      { paramKind: { apiVersion: "a/b/c", kind: "x_y" } },
      ['spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'],
    ],
  ];
  for (const [spec, wanted] of cases) {
    const found = complaints(spec);
    assert.deepEqual(found.slice(0, wanted.length || undefined), wanted, JSON.stringify(spec));
  }
});

test("names of variables are words of their own; what is found of types is told in full", () => {
  const named = (name: string) => complaints({ variables: [{ name, expression: "1" }] });
  assert.deepEqual(named("__a"), []);
  assert.deepEqual(named("in"), [
    'spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier',
  ]);
  const old = { metadata: { name: "p" } };
  const warnings = [{}, { warning: "w", fieldRef: "spec.validations[0].expression" }];
  const status = { typeChecking: { expressionWarnings: warnings }, conditions: [{}] };
  const told = { ...old, status };
  const causes = validateObject(VALIDATING_ADMISSION_POLICIES, told, {
    old,
    subresource: "status",
  });
  assert.deepEqual(
    causes.slice(0, 2).map(({ field, message }) => `${field}: ${message}`),
    [
      "status.typeChecking.expressionWarnings[0].warning: Required value",
      "status.typeChecking.expressionWarnings[0].fieldRef: Required value",
    ],
  );
  const rest = causes.slice(2).map(({ field }) => field);
  assert.ok(rest.every((field) => field?.startsWith("status.conditions[0].")));
  assert.ok(rest.includes("status.conditions[0].reason"));
});

test("bindings are checked in the words of upstream", () => {
  const check = (spec: ValidatingAdmissionPolicyBindingSpec) => {
    const binding = { metadata: { name: "b" }, spec };
    const causes = validateObject(VALIDATING_ADMISSION_POLICY_BINDINGS, binding);
    return causes.map(({ field, message }) => `${field}: ${message}`);
  };
  assert.deepEqual(check({ policyName: "p", validationActions: ["Deny"] }), []);
  assert.deepEqual(check({ paramRef: {} }), [
    "spec.policyName: Required value",
    "spec.paramRef: Required value: one of name or selector must be specified",
    "spec.paramRef.parameterNotFoundAction: Required value",
    "spec.validationActions: Required value: at least one validation action is required",
  ]);
  assert.match(
    check({ policyName: "p", validationActions: ["Deny", "Warn"] }).join(),
    /^spec.validationActions: Invalid value: \[\]admissionregistration.ValidationAction\{"Deny", "Warn"\}: must not contain both Deny and Warn/,
  );
  const paramRef = { name: "a", parameterNotFoundAction: "x" };
  const matchResources = { matchPolicy: "x" as "Exact" };
  assert.deepEqual(
    check({ policyName: "p", validationActions: ["Deny"], paramRef, matchResources }),
    [
      'spec.paramRef.parameterNotFoundAction: Unsupported value: "x": supported values: "Deny", "Allow"',
      'spec.matchResources.matchPolicy: Unsupported value: "x": supported values: "Equivalent", "Exact"',
    ],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../../api/errors.ts";
import {
  CONFIG_MAPS,
  CUSTOM_RESOURCE_DEFINITIONS,
  DEPLOYMENTS,
  NAMESPACES,
  VALIDATING_ADMISSION_POLICIES,
  VALIDATING_ADMISSION_POLICY_BINDINGS,
} from "../../../api/generated/resources.ts";
import type {
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicySpec,
} from "../../../api/generated/types/admissionregistration-v1.ts";
import type { Resource } from "../../../api/resource.ts";
import type { ObjectReader } from "../../contract.ts";
import { admit, type FixtureRequest, fixtureRequest } from "../admission-fixture.ts";
import { validatingPolicyPlugin } from "./validating-policy.ts";

const CONSTRAINTS: ValidatingAdmissionPolicySpec["matchConstraints"] = {
  resourceRules: [
    {
      apiGroups: ["apps"],
      apiVersions: ["v1"],
      operations: ["CREATE", "UPDATE"],
      resources: ["deployments"],
    },
  ],
};
const SMALL: ValidatingAdmissionPolicySpec = {
  matchConstraints: CONSTRAINTS,
  validations: [{ expression: "object.spec.replicas <= 5" }],
};

interface Setup {
  policy?: ValidatingAdmissionPolicySpec;
  binding?: ValidatingAdmissionPolicyBindingSpec;
  params?: object[];
}

/** Runs one policy with one binding; answers with the refusal, "" for none. */
async function review(setup: Setup, request: FixtureRequest): Promise<StatusError | undefined> {
  const { policy = SMALL, params = [] } = setup;
  const binding = { policyName: "p", validationActions: ["Deny"], ...setup.binding };
  const objects = new Map<Resource, unknown[]>([
    [VALIDATING_ADMISSION_POLICIES, [{ metadata: { name: "p" }, spec: policy }]],
    [VALIDATING_ADMISSION_POLICY_BINDINGS, [{ metadata: { name: "b" }, spec: binding }]],
    [NAMESPACES, [{ metadata: { name: "a", labels: { env: "test" } } }]],
    [CONFIG_MAPS, params],
    [CUSTOM_RESOURCE_DEFINITIONS, []],
  ]);
  const reader: ObjectReader = {
    list: <T>(resource: Resource<T>) => (objects.get(resource) ?? []) as T[],
    get: <T>(resource: Resource<T>, { name }: { name: string }) =>
      objects
        .get(resource)
        ?.find((each) => (each as { metadata: { name: string } }).metadata.name === name) as T,
  };
  const authorizer = { authorize: () => ({ allowed: false, reason: "" }) };
  try {
    await admit(validatingPolicyPlugin({ reader, authorizer }), request);
    return undefined;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
}

function deployment(replicas: number, labels: Record<string, string> = {}): FixtureRequest {
  const spec = { replicas, selector: {}, template: {} };
  return fixtureRequest(DEPLOYMENTS, { metadata: { name: "web", labels }, spec });
}

test("a request that a policy does not allow is refused as upstream does", async () => {
  assert.equal(await review({}, deployment(5)), undefined);
  const refusal = await review({}, deployment(6));
  const denied =
    "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: " +
    "failed expression: object.spec.replicas <= 5";
  assert.equal(refusal?.message, `deployments.apps "web" is forbidden: ${denied}`);
  const { reason, code, details } = refusal?.status ?? {};
  assert.deepEqual([reason, code, details?.causes], ["Invalid", 422, [{ message: denied }]]);
});

test("messages and reasons are those of the policy", async () => {
  const expression = "object.spec.replicas <= variables.most";
  const policy: ValidatingAdmissionPolicySpec = {
    ...SMALL,
    variables: [
      { name: "base", expression: "2" },
      { name: "most", expression: "variables.base * 2" },
    ],
    validations: [
      { expression, reason: "Forbidden", messageExpression: "'at most ' + string(variables.most)" },
    ],
  };
  const refusal = await review({ policy }, deployment(5));
  assert.match(refusal?.message ?? "", /denied request: at most 4$/);
  assert.equal(refusal?.status.code, 403);
});

test("failures follow the failure policy", async () => {
  const broken = { ...SMALL, validations: [{ expression: "object.spec.nope == 1" }] };
  const refusal = await review({ policy: broken }, deployment(1));
  assert.match(
    refusal?.message ?? "",
    /expression 'object.spec.nope == 1' resulted in error: no such key: nope$/,
  );
  const ignoring = { ...broken, failurePolicy: "Ignore" as const };
  assert.equal(await review({ policy: ignoring }, deployment(1)), undefined);
});

test("match conditions and constraints leave requests alone", async () => {
  const conditions = [{ name: "c", expression: "'x' in object.metadata.labels" }];
  const policy = { ...SMALL, matchConditions: conditions };
  assert.equal(await review({ policy }, deployment(9)), undefined);
  assert.ok(await review({ policy }, deployment(9, { x: "1" })));
  const matching = (matchResources: ValidatingAdmissionPolicyBindingSpec["matchResources"]) =>
    review({ binding: { matchResources: matchResources ?? {} } }, deployment(9, { x: "1" }));
  assert.ok(await matching({ namespaceSelector: { matchLabels: { env: "test" } } }));
  assert.equal(await matching({ namespaceSelector: { matchLabels: { env: "prod" } } }), undefined);
  assert.ok(await matching({ objectSelector: { matchLabels: { x: "1" } } }));
  assert.equal(await matching({ objectSelector: { matchLabels: { x: "2" } } }), undefined);
  const status = { ...deployment(9), subresource: "status" };
  assert.equal(await review({}, status), undefined);
});

test("a warning is not a refusal", async () => {
  const request = deployment(6);
  const binding = { validationActions: ["Warn" as const, "Audit" as const] };
  const audited: [string, string][] = [];
  request.annotate = (key, value) => audited.push([key, value]);
  assert.equal(await review({ binding }, request), undefined);
  const message = "failed expression: object.spec.replicas <= 5";
  assert.deepEqual(request.warnings, [
    `Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': ${message}`,
  ]);
  assert.equal(audited[0]?.[0], "validation.policy.admission.k8s.io/validation_failure");
  assert.deepEqual(JSON.parse(audited[0]?.[1] ?? ""), [
    {
      message,
      policy: "p",
      binding: "b",
      expressionIndex: 0,
      validationActions: ["Warn", "Audit"],
    },
  ]);
});

test("parameters are named or selected, and may be missing", async () => {
  const policy: ValidatingAdmissionPolicySpec = {
    ...SMALL,
    paramKind: { apiVersion: "v1", kind: "ConfigMap" },
    validations: [{ expression: "params == null || object.spec.replicas <= int(params.data.max)" }],
  };
  const params = [
    { metadata: { name: "low", labels: { k: "v" } }, data: { max: "2" } },
    { metadata: { name: "high", labels: { k: "v" } }, data: { max: "9" } },
  ];
  const run = (paramRef: ValidatingAdmissionPolicyBindingSpec["paramRef"]) =>
    review({ policy, params, binding: paramRef ? { paramRef } : {} }, deployment(5));
  const Deny = { parameterNotFoundAction: "Deny" };
  assert.equal(await run({ name: "high", ...Deny }), undefined);
  assert.ok(await run({ name: "low", ...Deny }));
  assert.ok(await run({ selector: { matchLabels: { k: "v" } }, ...Deny }));
  assert.equal(await run({ name: "none", parameterNotFoundAction: "Allow" }), undefined);
  assert.match(
    (await run({ name: "none", ...Deny }))?.message ?? "",
    /failed to configure binding: no params found for policy binding with `Deny`/,
  );
  assert.equal(await run(undefined), undefined);
});

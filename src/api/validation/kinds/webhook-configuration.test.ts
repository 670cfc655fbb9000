import { test } from "node:test";
import { MUTATING_WEBHOOK_CONFIGURATIONS } from "../../generated/resources.ts";
import { checkRuleCases, type RuleCase } from "../rule-cases.ts";

test("rules of webhooks", () => {
  const W = "webhooks[0]";
  const R = `${W}.rules[0]`;
  const rule = {
    operations: ["CREATE"],
    apiGroups: [""],
    apiVersions: ["v1"],
    resources: ["pods"],
  };
  const webhook = {
    name: "a.example.com",
    clientConfig: { url: "https://example.com/a" },
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    rules: [rule],
  };
  const of = (more: object, ...complaints: string[]): RuleCase => [
    { [W]: { ...webhook, ...more } },
    ...complaints.map((text) => `${W}.${text}`),
  ];
  const withRule = (more: object, ...complaints: string[]): RuleCase => [
    { [R]: { ...rule, ...more } },
    ...complaints.map((text) => `${R}.${text}`),
  ];
  const condition = { name: "a", expression: "true" };
  const many = Array.from({ length: 65 }, (_, at) => ({ ...condition, name: `n${at}` }));
  checkRuleCases(MUTATING_WEBHOOK_CONFIGURATIONS, {
    base: { webhooks: [webhook] },
    create: [
      of({ reinvocationPolicy: "IfNeeded", timeoutSeconds: 30, matchConditions: [condition] }),
      of(
        { name: "example.com" },
        'name: Invalid value: "example.com": should be a domain with at least three segments separated by dots',
      ),
      of({ name: "" }, "name: Required value"),
      [{ webhooks: [webhook, webhook] }, 'webhooks[1].name: Duplicate value: "a.example.com"'],
      of(
        { sideEffects: undefined },
        "sideEffects: Required value: must specify one of None, NoneOnDryRun",
      ),
      of(
        { sideEffects: "Some" },
        'sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
      ),
      of(
        { timeoutSeconds: 31 },
        "timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds",
      ),
      of(
        { reinvocationPolicy: "x" },
        'reinvocationPolicy: Unsupported value: "x": supported values: "IfNeeded", "Never"',
      ),
      of(
        { clientConfig: {} },
        "clientConfig: Required value: exactly one of url or service is required",
      ),
      of(
        { admissionReviewVersions: [] },
        "admissionReviewVersions: Required value: must specify one of v1, v1beta1",
      ),
      of(
        { admissionReviewVersions: ["v2", "v2"] },
        'admissionReviewVersions[1]: Invalid value: "v2": duplicate version',
        'admissionReviewVersions: Invalid value: []string{"v2", "v2"}: must include at least one of v1, v1beta1',
      ),
      of({ matchConditions: many }, "matchConditions: Too many: 65: must have at most 64 items"),
      of(
        { matchConditions: [{}, { name: "a" }, condition] },
        "matchConditions[0].expression: Required value",
        "matchConditions[0].name: Required value",
        "matchConditions[1].expression: Required value",
        'matchConditions[2].name: Duplicate value: "a"',
      ),
      withRule(
        { operations: ["*", "CREATE"], apiGroups: ["*", "a"], apiVersions: ["*", "v1"] },
        `operations: Invalid value: []admissionregistration.OperationType{"*", "CREATE"}: if '*' is present, must not specify other operations`,
        `apiGroups: Invalid value: []string{"*", "a"}: if '*' is present, must not specify other API groups`,
        `apiVersions: Invalid value: []string{"*", "v1"}: if '*' is present, must not specify other API versions`,
      ),
      withRule(
        { operations: [], apiGroups: [], apiVersions: [""], resources: [""] },
        "operations: Required value",
        "apiGroups: Required value",
        "apiVersions[0]: Required value",
        "resources[0]: Required value",
      ),
      withRule(
        { operations: ["WATCH"] },
        'operations[0]: Unsupported value: "WATCH": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
      ),
      withRule({ resources: ["a/*", "b"] }),
      withRule({ resources: ["a", "*", "*/b"] }),
      withRule(
        { resources: ["*", "a"] },
        `resources: Invalid value: []string{"*", "a"}: if '*' is present, must not specify other resources without subresources`,
      ),
      withRule(
        { resources: ["*/*", "a"] },
        `resources: Invalid value: []string{"*/*", "a"}: if '*/*' is present, must not specify other resources`,
      ),
      withRule(
        { resources: ["a/*", "a/x"] },
        `resources[1]: Invalid value: "a/x": if 'a/*' is present, must not specify a/x`,
      ),
      withRule(
        { resources: ["*/a", "x/a"] },
        `resources[1]: Invalid value: "x/a": if '*/a' is present, must not specify x/a`,
      ),
      withRule(
        { scope: "x" },
        'scope: Unsupported value: "x": supported values: "*", "Cluster", "Namespaced"',
      ),
    ],
  });
});

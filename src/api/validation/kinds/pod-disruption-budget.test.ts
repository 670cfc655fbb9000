import { test } from "node:test";
import { POD_DISRUPTION_BUDGETS } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const share = (text: string) => `intstr.IntOrString{Type:1, IntVal:0, StrVal:"${text}"}`;
const PERCENT =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or " +
  "'93%', regex used for validation is '[0-9]+%')";
const REASON =
  "a condition reason must start with alphabetic character, optionally followed by a string of " +
  "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. " +
  "'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex " +
  "used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";

test("rules of disruption budgets", () => {
  const condition = {
    type: "DisruptionAllowed",
    status: "True",
    reason: "SufficientPods",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const C = "status.conditions[0]";
  checkRuleCases(POD_DISRUPTION_BUDGETS, {
    base: { spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } } },
    create: [
      [{ "spec.minAvailable": "100%" }],
      [{ "spec.unhealthyPodEvictionPolicy": "AlwaysAllow" }],
      [
        { "spec.minAvailable": "101%" },
        `spec.minAvailable: Invalid value: ${share("101%")}: must not be greater than 100%`,
      ],
      [{ "spec.minAvailable": "x" }, `spec.minAvailable: Invalid value: ${share("x")}: ${PERCENT}`],
      [
        { "spec.minAvailable": -1 },
        "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0",
      ],
      [
        { "spec.unhealthyPodEvictionPolicy": "Never" },
        'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
      ],
    ],
    subresources: {
      status: [
        [{ status: { disruptionsAllowed: 1, conditions: [condition] } }],
        [
          { "status.disruptionsAllowed": -1 },
          "status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0",
        ],
        [
          { "status.conditions": [condition, condition] },
          'status.conditions[1].type: Duplicate value: "DisruptionAllowed"',
        ],
        [
          { "status.conditions": [{ ...condition, status: "Perhaps" }] },
          `${C}.status: Unsupported value: "Perhaps": supported values: "False", "True", "Unknown"`,
        ],
        [
          { "status.conditions": [{ ...condition, observedGeneration: -1, reason: "" }] },
          `${C}.observedGeneration: Invalid value: -1: must be greater than or equal to zero`,
          `${C}.reason: Required value: must be set`,
        ],
        [
          { "status.conditions": [{ ...condition, lastTransitionTime: undefined, reason: "a b" }] },
          `${C}.lastTransitionTime: Required value: must be set`,
          `${C}.reason: Invalid value: "a b": ${REASON}`,
        ],
        [
          {
            "status.conditions": [
              { ...condition, reason: "a".repeat(1025), message: "a".repeat(32 * 1024 + 1) },
            ],
          },
          `${C}.reason: Too long: may not be more than 1024 bytes`,
          `${C}.message: Too long: may not be more than 32768 bytes`,
        ],
      ],
    },
  });
});

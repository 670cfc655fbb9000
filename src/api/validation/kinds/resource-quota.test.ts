import { test } from "node:test";
import { RESOURCE_QUOTAS } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const FIELD = "spec.scopeSelector.matchExpressions";

test("scopes that say it all by their name have no values", () => {
  checkRuleCases(RESOURCE_QUOTAS, {
    base: { spec: { hard: { pods: "1" } } },
    create: [
      [{ [FIELD]: [{ scopeName: "BestEffort", operator: "Exists" }] }],
      [
        { [FIELD]: [{ scopeName: "BestEffort", operator: "In", values: ["a"] }] },
        `${FIELD}.operator: Invalid value: "In": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity`,
      ],
    ],
  });
});

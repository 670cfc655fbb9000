import { test } from "node:test";
import { NODES } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

test("where a node is and who provides it is said once", () => {
  checkRuleCases(NODES, {
    base: { spec: { providerID: "a", podCIDRs: ["10.0.0.0/24"] } },
    update: [
      [
        { "spec.providerID": "b" },
        'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
      ],
      [
        { "spec.podCIDRs": ["10.0.1.0/24"] },
        'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      ],
    ],
  });
});

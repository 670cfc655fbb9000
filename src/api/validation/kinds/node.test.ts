import { test } from "node:test";
import { NODES } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const AVOID_PODS = "scheduler.alpha.kubernetes.io/preferAvoidPods";
const AVOIDED = `metadata.annotations.${AVOID_PODS}[0].PodSignature`;

test("whose pods a node would rather not have must be said well", () => {
  const said = (podSignature: object) => ({
    "metadata.annotations": {
      [AVOID_PODS]: JSON.stringify({ preferAvoidPods: [{ podSignature }] }),
    },
  });
  checkRuleCases(NODES, {
    base: {},
    create: [
      [said({ podController: { controller: true } })],
      [said({}), `${AVOIDED}: Required value`],
      [
        said({ podController: { controller: false } }),
        `${AVOIDED}.PodController.Controller: Invalid value: false: must point to a controller`,
      ],
      [
        { "metadata.annotations": { [AVOID_PODS]: "{" } },
        `metadata.AvoidPods: Invalid value: "${AVOID_PODS}": unexpected end of JSON input`,
      ],
    ],
  });
});

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

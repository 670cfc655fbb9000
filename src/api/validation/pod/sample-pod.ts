import { PODS } from "../../generated/resources.ts";
import { checkRuleCases, type RuleCase } from "../rule-cases.ts";

/** A pod that breaks no rule; tests change it in one place. */
export const SAMPLE_POD: { spec: object } = {
  spec: {
    containers: [{ name: "web", image: "nginx", ports: [{ containerPort: 80, protocol: "TCP" }] }],
    restartPolicy: "Always",
    dnsPolicy: "ClusterFirst",
    terminationGracePeriodSeconds: 30,
    serviceAccountName: "default",
  },
};

/** Path of its container. */
export const CONTAINER = "spec.containers[0]";

/** What new pods are refused for. */
export function checkNewPods(cases: readonly RuleCase[]): void {
  checkRuleCases(PODS, { base: SAMPLE_POD, create: cases });
}

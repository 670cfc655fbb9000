import { test } from "node:test";
import type { RuleCase } from "../rule-cases.ts";
import { checkNewPods, CONTAINER } from "./sample-pod.ts";

const CASES: readonly RuleCase[] = [
  [
    { [`${CONTAINER}.securityContext`]: { privileged: true, allowPrivilegeEscalation: false } },
    `${CONTAINER}.securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
  ],
  [
    { [`${CONTAINER}.securityContext.runAsUser`]: -1 },
    `${CONTAINER}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive`,
  ],
  [
    { "spec.securityContext.seccompProfile": { type: "Localhost" } },
    "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
  ],
  [
    { "spec.securityContext.appArmorProfile": { type: "Custom" } },
    'spec.securityContext.appArmorProfile.type: Unsupported value: "Custom": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
  ],
  [
    {
      "spec.securityContext.sysctls": [{ name: "net.ipv4.x", value: "1" }],
      "spec.hostNetwork": true,
      [`${CONTAINER}.ports`]: [],
    },
    "spec.securityContext.sysctls[0].name: Invalid value: \"net.ipv4.x\": may not be specified when 'hostNetwork' is true",
  ],
  [
    { "spec.securityContext.fsGroupChangePolicy": "Never" },
    'spec.securityContext.fsGroupChangePolicy: Unsupported value: "Never": supported values: "Always", "OnRootMismatch"',
  ],
  [
    { "spec.hostPID": true, "spec.shareProcessNamespace": true },
    "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
  ],
  [
    { "spec.hostUsers": false, "spec.hostIPC": true },
    "spec.HostIPC: Forbidden: when `pod.Spec.HostUsers` is false",
  ],
  [
    { "spec.os": { name: "windows" }, "spec.securityContext.runAsUser": 1 },
    "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod",
  ],
];

test("rules of security contexts", () => {
  checkNewPods(CASES);
});

import { test } from "node:test";
import type { RuleCase } from "../rule-cases.ts";
import { checkNewPods, CONTAINER } from "./sample-pod.ts";

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " +
  "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const PORT = "must be between 1 and 65535, inclusive";

const CASES: readonly RuleCase[] = [
  [{ "spec.containers": [] }, "spec.containers: Required value"],
  [{ [`${CONTAINER}.image`]: "" }, `${CONTAINER}.image: Required value`],
  [
    { [`${CONTAINER}.image`]: " nginx" },
    `${CONTAINER}.image: Invalid value: " nginx": must not have leading or trailing whitespace`,
  ],
  [{ [`${CONTAINER}.name`]: "" }, `${CONTAINER}.name: Required value`],
  [{ [`${CONTAINER}.name`]: "Web" }, `${CONTAINER}.name: Invalid value: "Web": ${LABEL}`],
  [
    { [`${CONTAINER}.name`]: "a.b" },
    `${CONTAINER}.name: Invalid value: "a.b": must not contain dots`,
  ],
  [
    { "spec.containers[1]": { name: "web", image: "x" } },
    'spec.containers[1].name: Duplicate value: "web"',
  ],
  [
    { "spec.initContainers": [{ name: "web", image: "x" }] },
    'spec.initContainers[0].name: Duplicate value: "web"',
  ],
  [
    { [`${CONTAINER}.imagePullPolicy`]: "Sometimes" },
    `${CONTAINER}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`,
  ],
  [
    { [`${CONTAINER}.terminationMessagePolicy`]: "Log" },
    `${CONTAINER}.terminationMessagePolicy: Unsupported value: "Log": supported values: "File", "FallbackToLogsOnError"`,
  ],
  [
    { [`${CONTAINER}.ports[0].containerPort`]: 70_000 },
    `${CONTAINER}.ports[0].containerPort: Invalid value: 70000: ${PORT}`,
  ],
  [
    { [`${CONTAINER}.ports[0].containerPort`]: 0 },
    `${CONTAINER}.ports[0].containerPort: Required value`,
  ],
  [
    { [`${CONTAINER}.ports[0].hostPort`]: -1 },
    `${CONTAINER}.ports[0].hostPort: Invalid value: -1: ${PORT}`,
  ],
  [
    { [`${CONTAINER}.ports[0].protocol`]: "ICMP" },
    `${CONTAINER}.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"`,
  ],
  [
    { [`${CONTAINER}.ports[0].name`]: "a--b" },
    `${CONTAINER}.ports[0].name: Invalid value: "a--b": must not contain consecutive hyphens`,
  ],
  [
    {
      [`${CONTAINER}.ports[0].hostPort`]: 80,
      [`${CONTAINER}.ports[1]`]: { containerPort: 81, hostPort: 80, protocol: "TCP" },
    },
    `${CONTAINER}.ports[1].hostPort: Duplicate value: "TCP//80"`,
  ],
  [
    { "spec.hostNetwork": true },
    `${CONTAINER}.ports[0].hostPort: Invalid value: 0: must match \`containerPort\` when \`hostNetwork\` is true`,
  ],
  [
    { [`${CONTAINER}.restartPolicy`]: "Always" },
    `${CONTAINER}.restartPolicy: Forbidden: may not be set for non-init containers`,
  ],
  [
    { "spec.initContainers": [{ name: "a", image: "x", lifecycle: {} }] },
    "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always",
  ],
  [{ "spec.initContainers": [{ name: "a", image: "x", restartPolicy: "Always", lifecycle: {} }] }],
  [
    { "spec.ephemeralContainers": [{ name: "debug", image: "x" }] },
    "spec.ephemeralContainers: Forbidden: cannot be set on create",
  ],
  [
    { [`${CONTAINER}.resizePolicy`]: [{ resourceName: "disk", restartPolicy: "NotRequired" }] },
    `${CONTAINER}.resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"`,
  ],
];

test("rules of the containers of new pods", () => {
  checkNewPods(CASES);
});

import { test } from "node:test";
import type { RuleCase } from "../rule-cases.ts";
import { checkNewPods, CONTAINER } from "./sample-pod.ts";

const CASES: readonly RuleCase[] = [
  [
    {
      [`${CONTAINER}.env`]: [
        {
          name: "A",
          valueFrom: { fieldRef: { apiVersion: "v2", fieldPath: "metadata.name" } },
        },
      ],
    },
    `${CONTAINER}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2`,
  ],
  [
    { [`${CONTAINER}.env`]: [{ name: "", value: "x" }] },
    `${CONTAINER}.env[0].name: Required value`,
  ],
  [
    { [`${CONTAINER}.env`]: [{ name: "A=B" }] },
    `${CONTAINER}.env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '='`,
  ],
  [
    { [`${CONTAINER}.env`]: [{ name: "A", valueFrom: {} }] },
    `${CONTAINER}.env[0].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\` or \`secretKeyRef\``,
  ],
  [
    { [`${CONTAINER}.env`]: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.x" } } }] },
    `${CONTAINER}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": error converting fieldPath: field label not supported: spec.x`,
  ],
  [
    {
      [`${CONTAINER}.env`]: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "status.phase" } } }],
    },
    `${CONTAINER}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: ` +
      '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", ' +
      '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
  ],
  [
    {
      [`${CONTAINER}.env`]: [
        { name: "A", valueFrom: { resourceFieldRef: { resource: "limits.gpu" } } },
      ],
    },
    `${CONTAINER}.env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: ` +
      '"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
  ],
  [
    {
      [`${CONTAINER}.env`]: [
        { name: "A", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "2" } } },
      ],
    },
    `${CONTAINER}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
  ],
  [
    { [`${CONTAINER}.envFrom`]: [{}] },
    `${CONTAINER}.envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``,
  ],
  [
    { [`${CONTAINER}.envFrom`]: [{ secretRef: { name: "" } }] },
    `${CONTAINER}.envFrom[0].secretRef.name: Required value`,
  ],
];

test("rules of environments", () => {
  checkNewPods(CASES);
});

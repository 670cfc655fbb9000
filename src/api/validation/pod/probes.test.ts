import { test } from "node:test";
import type { RuleCase } from "../rule-cases.ts";
import { checkNewPods, CONTAINER } from "./sample-pod.ts";

const PORT = "must be between 1 and 65535, inclusive";
const NOT_NEGATIVE = "must be greater than or equal to 0";

const CASES: readonly RuleCase[] = [
  [
    { [`${CONTAINER}.livenessProbe`]: {} },
    `${CONTAINER}.livenessProbe: Required value: must specify a handler type`,
  ],
  [
    { [`${CONTAINER}.livenessProbe`]: { exec: { command: ["x"] }, tcpSocket: { port: 1 } } },
    `${CONTAINER}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`,
  ],
  [
    { [`${CONTAINER}.startupProbe`]: { tcpSocket: { port: 1 }, successThreshold: 2 } },
    `${CONTAINER}.startupProbe.successThreshold: Invalid value: 2: must be 1`,
  ],
  [
    {
      [`${CONTAINER}.readinessProbe`]: { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 5 },
    },
    `${CONTAINER}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes`,
  ],
  [
    { [`${CONTAINER}.livenessProbe`]: { grpc: { port: 0 }, periodSeconds: -1 } },
    `${CONTAINER}.livenessProbe.grpc.port: Invalid value: 0: ${PORT}`,
    `${CONTAINER}.livenessProbe.periodSeconds: Invalid value: -1: ${NOT_NEGATIVE}`,
  ],
  [
    {
      [`${CONTAINER}.livenessProbe`]: {
        httpGet: { path: "/", port: 80, httpHeaders: [{ name: "a b" }] },
      },
    },
    `${CONTAINER}.livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
  ],
  [
    { [`${CONTAINER}.lifecycle`]: { preStop: { sleep: { seconds: 60 } } } },
    `${CONTAINER}.lifecycle.preStop.sleep: Invalid value: 60: must be greater than 0 and less than terminationGracePeriodSeconds (30). Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.`,
  ],
];

test("rules of probes and hooks", () => {
  checkNewPods(CASES);
});

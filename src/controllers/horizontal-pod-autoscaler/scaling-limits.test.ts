import assert from "node:assert/strict";
import { test } from "node:test";
import type { HorizontalPodAutoscalerSpec } from "../../api/generated/types/autoscaling-v2.ts";
import { limitReplicas, type ScaleHistory, trimHistory } from "./scaling-limits.ts";

const NOW = 10_000_000;
const ago = (seconds: number) => NOW - seconds * 1000;
const base: HorizontalPodAutoscalerSpec = {
  scaleTargetRef: { kind: "Deployment", name: "web" },
  minReplicas: 2,
  maxReplicas: 20,
};

interface Case {
  what: string;
  spec?: Partial<HorizontalPodAutoscalerSpec>;
  current: number;
  wanted: number;
  history?: Partial<ScaleHistory>;
  expected: [replicas: number, stabilized: string, limited: string];
}

const CASES: readonly Case[] = [
  {
    what: "in range",
    current: 4,
    wanted: 6,
    expected: [6, "ReadyForNewScale", "DesiredWithinRange"],
  },
  {
    what: "at most twice as many",
    current: 4,
    wanted: 15,
    expected: [8, "ReadyForNewScale", "ScaleUpLimit"],
  },
  {
    what: "from one to four at once",
    current: 1,
    wanted: 9,
    expected: [4, "ReadyForNewScale", "ScaleUpLimit"],
  },
  {
    what: "the maximum",
    current: 15,
    wanted: 30,
    expected: [20, "ReadyForNewScale", "TooManyReplicas"],
  },
  {
    what: "the minimum",
    current: 3,
    wanted: 1,
    expected: [2, "ReadyForNewScale", "TooFewReplicas"],
  },
  {
    what: "five minutes of patience before going down",
    current: 8,
    wanted: 3,
    history: {
      recommendations: [
        { replicas: 7, atMs: ago(200) },
        { replicas: 9, atMs: ago(400) },
      ],
    },
    expected: [7, "ScaleDownStabilized", "DesiredWithinRange"],
  },
  {
    what: "patience upwards where it is asked for",
    spec: { behavior: { scaleUp: { stabilizationWindowSeconds: 60 } } },
    current: 4,
    wanted: 8,
    history: { recommendations: [{ replicas: 5, atMs: ago(30) }] },
    expected: [5, "ScaleUpStabilized", "DesiredWithinRange"],
  },
  {
    what: "the wider of two policies",
    spec: {
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: "Max",
          policies: [
            { type: "Pods", value: 4, periodSeconds: 15 },
            { type: "Percent", value: 50, periodSeconds: 15 },
          ],
        },
      },
    },
    current: 4,
    wanted: 20,
    expected: [8, "ReadyForNewScale", "ScaleUpLimit"],
  },
  {
    what: "a change within the period counts",
    spec: { behavior: { scaleUp: { policies: [{ type: "Pods", value: 4, periodSeconds: 60 }] } } },
    current: 7,
    wanted: 20,
    history: {
      events: [
        { change: 3, atMs: ago(30) },
        { change: 2, atMs: ago(90) },
      ],
    },
    expected: [8, "ReadyForNewScale", "ScaleUpLimit"],
  },
  {
    what: "slowly down",
    spec: {
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: 0,
          policies: [{ type: "Percent", value: 10, periodSeconds: 60 }],
        },
      },
    },
    current: 15,
    wanted: 3,
    expected: [13, "ReadyForNewScale", "ScaleDownLimit"],
  },
  {
    what: "the narrower of two policies",
    spec: {
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: "Min",
          policies: [
            { type: "Pods", value: 4, periodSeconds: 15 },
            { type: "Percent", value: 50, periodSeconds: 15 },
          ],
        },
      },
    },
    current: 4,
    wanted: 20,
    expected: [6, "ReadyForNewScale", "ScaleUpLimit"],
  },
  {
    what: "a percentage of what there was when the period began",
    spec: {
      behavior: {
        scaleUp: { policies: [{ type: "Percent", value: 100, periodSeconds: 60 }] },
      },
    },
    current: 6,
    wanted: 20,
    history: { events: [{ change: 2, atMs: ago(30) }] },
    expected: [8, "ReadyForNewScale", "ScaleUpLimit"],
  },
  {
    what: "never up",
    spec: { behavior: { scaleUp: { selectPolicy: "Disabled" } } },
    current: 5,
    wanted: 10,
    expected: [5, "ReadyForNewScale", "ScaleUpLimit"],
  },
  {
    what: "down by pods, less those that went already",
    spec: {
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: 0,
          policies: [{ type: "Pods", value: 4, periodSeconds: 60 }],
        },
      },
    },
    current: 12,
    wanted: 3,
    history: { events: [{ change: -3, atMs: ago(30) }] },
    expected: [11, "ReadyForNewScale", "ScaleDownLimit"],
  },
  {
    what: "down by the narrower of two policies",
    spec: {
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: 0,
          selectPolicy: "Min",
          policies: [
            { type: "Pods", value: 5, periodSeconds: 60 },
            { type: "Percent", value: 10, periodSeconds: 60 },
          ],
        },
      },
    },
    current: 20,
    wanted: 3,
    expected: [18, "ReadyForNewScale", "ScaleDownLimit"],
  },
  {
    what: "a window of its own before going down",
    spec: { behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } },
    current: 8,
    wanted: 3,
    history: {
      recommendations: [
        { replicas: 6, atMs: ago(30) },
        { replicas: 8, atMs: ago(90) },
      ],
    },
    expected: [6, "ScaleDownStabilized", "DesiredWithinRange"],
  },
  {
    what: "never down",
    spec: { behavior: { scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: "Disabled" } } },
    current: 15,
    wanted: 3,
    expected: [15, "ReadyForNewScale", "ScaleDownLimit"],
  },
];

for (const { what, spec, current, wanted, history, expected } of CASES) {
  test(`limits: ${what}`, () => {
    const past = { recommendations: [], events: [], ...history };
    const of = { current, wanted, history: past, nowMs: NOW };
    const { replicas, stabilized, limited } = limitReplicas({ ...base, ...spec }, of);
    assert.deepEqual([replicas, stabilized.reason, limited.reason], expected);
  });
}

test("what no window reaches is forgotten", () => {
  const history = {
    recommendations: [
      { replicas: 1, atMs: ago(301) },
      { replicas: 2, atMs: ago(299) },
    ],
    events: [{ change: 1, atMs: ago(20) }],
  };
  const scaleUp = { policies: [{ type: "Pods", value: 4, periodSeconds: 15 }] };
  const trimmed = trimHistory(history, { spec: { ...base, behavior: { scaleUp } }, nowMs: NOW });
  assert.deepEqual(trimmed, { recommendations: [{ replicas: 2, atMs: ago(299) }], events: [] });
});

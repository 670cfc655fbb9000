import assert from "node:assert/strict";
import { test } from "node:test";
import type { HPAScalingRules } from "../../api/generated/types/autoscaling-v2.ts";
import { limitReplicas, type ScaleEvent } from "./scaling-limits.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

const NOW = 10_000_000;

/** What the API makes of rules that say nothing. */
const DEFAULT_UP: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};
const DEFAULT_DOWN: HPAScalingRules = {
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
};

/** By pods and by percent, each in so many seconds. */
function rules(
  pods: [value: number, seconds: number] | undefined,
  percent?: [value: number, seconds: number],
): HPAScalingRules {
  const policyOf = (type: string, of: [number, number] | undefined) =>
    of ? [{ type, value: of[0], periodSeconds: of[1] }] : [];
  return {
    selectPolicy: "Max",
    policies: [...policyOf("Pods", pods), ...policyOf("Percent", percent)],
  };
}

/** Changes in the middle of equal parts of the last two minutes. */
function spread(changes: readonly number[], sign: 1 | -1): ScaleEvent[] {
  const partMs = 120_000 / changes.length;
  return changes.map((change, at) => ({
    change: change * sign,
    atMs: NOW - 120_000 + Math.round((at + 0.5) * partMs),
  }));
}

interface Row {
  title: string;
  from: number;
  to: number;
  within?: [minimum: number, maximum: number];
  up?: HPAScalingRules;
  down?: HPAScalingRules;
  /** Changes in the direction of the row. */
  events?: number[];
  outcome: [replicas: number, reason: string];
}

const FINE = "DesiredWithinRange";
const UP = "ScaleUpLimit";
const DOWN = "ScaleDownLimit";
const MANY = "TooManyReplicas";
const FEW = "TooFewReplicas";

const rows: Row[] = [
  { title: "within bounds", from: 5, to: 7, within: [3, 8], outcome: [7, FINE] },
  { title: "below", from: 3, to: 1, within: [2, 8], outcome: [2, FEW] },
  { title: "zero, which may be", from: 1, to: 0, within: [0, 10], outcome: [0, FINE] },
  { title: "above", from: 20, to: 1000, within: [1, 10], outcome: [10, MANY] },
  { title: "far above", from: 100, to: 1000, within: [100, 150], outcome: [150, MANY] },
  {
    title: "one percent is one",
    from: 3,
    to: 1000,
    up: rules(undefined, [1, 60]),
    outcome: [4, UP],
  },
  { title: "twenty at a time", from: 1000, to: 3, down: rules([20, 60]), outcome: [980, DOWN] },
  { title: "by default twice", from: 10, to: 50, outcome: [20, UP] },
  {
    title: "pods allow more",
    from: 10,
    to: 500,
    up: rules([100, 60], [100, 60]),
    outcome: [110, UP],
  },
  {
    title: "percent allows more",
    from: 10,
    to: 500,
    up: rules([2, 60], [100, 60]),
    outcome: [20, UP],
  },
  { title: "many pods at a time", from: 10, to: 50, up: rules([100, 60]), outcome: [50, FINE] },
  { title: "thirty at a time", from: 10, to: 50, up: rules([30, 60]), outcome: [40, UP] },
  {
    title: "twice as many more",
    from: 10,
    to: 50,
    up: rules(undefined, [200, 60]),
    outcome: [30, UP],
  },
  {
    title: "pods take more",
    from: 100,
    to: 2,
    down: rules([20, 60], [1, 60]),
    outcome: [80, DOWN],
  },
  {
    title: "few pods take more",
    from: 100,
    to: 2,
    down: rules([2, 60], [1, 60]),
    outcome: [98, DOWN],
  },
  { title: "all at a time", from: 10, to: 0, down: rules([100, 60]), outcome: [1, FEW] },
  {
    title: "all in percent, but for the minimum",
    from: 10,
    to: 2,
    within: [5, 1000],
    down: rules(undefined, [100, 60]),
    outcome: [5, FEW],
  },
  { title: "five at a time", from: 10, to: 2, down: rules([5, 60]), outcome: [5, DOWN] },
  { title: "by half", from: 10, to: 5, down: rules(undefined, [50, 60]), outcome: [5, FINE] },
  {
    title: "many at a time after others",
    from: 100,
    to: 500,
    within: [1, 200],
    up: rules([300, 60]),
    events: [1, 5, 9],
    outcome: [200, MANY],
  },
  {
    title: "many percent after others",
    from: 100,
    to: 500,
    within: [1, 200],
    up: rules(undefined, [10000, 60]),
    events: [1, 5, 9],
    outcome: [200, MANY],
  },
  {
    title: "more came already than may",
    from: 100,
    to: 500,
    up: rules([5, 120]),
    events: [1, 5, 9],
    outcome: [100, UP],
  },
  {
    title: "what came already counts among the pods",
    from: 100,
    to: 500,
    up: rules([150, 120]),
    events: [1, 5, 9],
    outcome: [235, UP],
  },
  {
    title: "percent of what there was before",
    from: 100,
    to: 500,
    up: rules(undefined, [200, 120]),
    events: [1, 5, 9],
    outcome: [255, UP],
  },
  { title: "down by default after others", from: 10, to: 5, events: [1, 5, 9], outcome: [5, FINE] },
  {
    title: "down by many after others",
    from: 100,
    to: 0,
    down: rules([115, 120]),
    events: [1, 5, 9],
    outcome: [1, FEW],
  },
  {
    title: "down by many after others to the minimum",
    from: 100,
    to: 0,
    within: [5, 1000],
    down: rules([130, 120]),
    events: [1, 5, 9],
    outcome: [5, FEW],
  },
  {
    title: "down by everything after others to the minimum",
    from: 100,
    to: 2,
    within: [5, 1000],
    down: rules(undefined, [100, 120]),
    events: [1, 5, 9],
    outcome: [5, FEW],
  },
  {
    title: "more went already than may",
    from: 100,
    to: 2,
    down: rules([5, 120]),
    events: [1, 5, 9],
    outcome: [100, DOWN],
  },
  {
    title: "down to half of what there was before",
    from: 100,
    to: 0,
    down: rules(undefined, [50, 120]),
    events: [2, 4, 6],
    outcome: [56, DOWN],
  },
  {
    title: "more percent went already than may",
    from: 100,
    to: 0,
    down: rules(undefined, [10, 120]),
    events: [10, 10, 10],
    outcome: [100, DOWN],
  },
  {
    title: "more percent than there are",
    from: 10,
    to: 5,
    down: rules(undefined, [1000, 120]),
    events: [10, 10, 10],
    outcome: [5, FINE],
  },
  ...[rules([1000, 60]), rules([1000, 120], [100, 60]), rules([1000, 30], [100, 60])].flatMap(
    (wide): Row[] => [
      {
        title: `up by ${wide.policies?.length} wide policies`,
        from: 100,
        to: 200,
        up: wide,
        events: [8, 12, 9, 11],
        outcome: [200, FINE],
      },
      {
        title: `down by ${wide.policies?.length} wide policies`,
        from: 100,
        to: 5,
        down: wide,
        events: [8, 12, 9, 11],
        outcome: [5, FINE],
      },
    ],
  ),
];

for (const { title, from, to, within = [1, 2000], events = [], ...row } of rows) {
  test(`rates: ${title}`, () => {
    const [minReplicas = 1, maxReplicas = 1] = within;
    const scaleTargetRef = { kind: "Deployment", name: "web" };
    const behavior = { scaleUp: row.up ?? DEFAULT_UP, scaleDown: row.down ?? DEFAULT_DOWN };
    const { replicas, limited } = limitReplicas(
      { scaleTargetRef, minReplicas, maxReplicas, behavior },
      {
        current: from,
        wanted: to,
        history: { recommendations: [], events: spread(events, to > from ? 1 : -1) },
        nowMs: NOW,
      },
    );
    assert.deepEqual([replicas, limited.reason], row.outcome);
  });
}

type Past = [replicas: number, minutesAgo: number][];
const windows: [
  title: string,
  of: { from: number; to: number; past: Past; up?: number; down?: number },
  replicas: number,
][] = [
  ["nothing known", { from: 100, to: 5, past: [] }, 5],
  [
    "down, with a window",
    {
      from: 100,
      to: 3,
      past: [
        [4, 2],
        [5, 1],
      ],
      down: 180,
    },
    5,
  ],
  [
    "up, with a window",
    {
      from: 1,
      to: 7,
      past: [
        [4, 2],
        [5, 1],
      ],
      up: 300,
    },
    4,
  ],
  [
    "down, with a window upwards",
    {
      from: 100,
      to: 3,
      past: [
        [1, 2],
        [2, 1],
      ],
      up: 300,
    },
    3,
  ],
  [
    "up, with a window downwards",
    {
      from: 1,
      to: 3,
      past: [
        [4, 2],
        [5, 1],
      ],
      down: 300,
    },
    3,
  ],
  [
    "down, with old ones",
    {
      from: 100,
      to: 3,
      past: [
        [10, 10],
        [9, 9],
      ],
    },
    3,
  ],
  [
    "up, with old ones",
    {
      from: 1,
      to: 100,
      past: [
        [10, 10],
        [9, 9],
      ],
    },
    100,
  ],
  [
    "down, with a window and old ones",
    {
      from: 100,
      to: 3,
      past: [
        [10, 10],
        [4, 1],
        [5, 2],
        [9, 9],
      ],
      down: 180,
    },
    5,
  ],
  [
    "up, with a window and old ones",
    {
      from: 1,
      to: 100,
      past: [
        [10, 100],
        [6, 1],
        [5, 2],
        [9, 3],
      ],
      up: 300,
    },
    5,
  ],
];
for (const [title, { from, to, past, up = 0, down = 0 }, replicas] of windows) {
  test(`windows: ${title}`, () => {
    const without = { policies: [{ type: "Pods", value: 1000, periodSeconds: 15 }] };
    const recommendations = past.map(([wanted, minutesAgo]) => ({
      replicas: wanted,
      atMs: NOW - minutesAgo * 60_000,
    }));
    const found = limitReplicas(
      {
        scaleTargetRef: { kind: "Deployment", name: "web" },
        maxReplicas: 1000,
        behavior: {
          scaleUp: { ...without, stabilizationWindowSeconds: up },
          scaleDown: { ...without, stabilizationWindowSeconds: down },
        },
      },
      { current: from, wanted: to, history: { recommendations, events: [] }, nowMs: NOW },
    );
    assert.equal(found.replicas, replicas);
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HorizontalPodAutoscalerSpec } from "../../api/generated/types/autoscaling-v2.ts";
import { Cluster } from "./autoscaler-fixture.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

interface Row {
  title: string;
  bounds: [minReplicas: number, maxReplicas: number];
  from: number;
  use: number[] | undefined;
  request?: number;
  percent: number;
  spec?: Partial<HorizontalPodAutoscalerSpec>;
  selector?: string;
  isFixed?: boolean;
  to: number;
  /** Status and reason of AbleToScale, ScalingActive and ScalingLimited, as far as they are set. */
  conditions: [able: string, active?: string, limited?: string];
}

const DONE = "True SucceededRescale";
const READY = "True ReadyForNewScale";
const ACTIVE = "True ValidMetricFound";
const WITHIN = "False DesiredWithinRange";
const quickly = {
  behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
};

const rows: Row[] = [
  {
    title: "more use",
    bounds: [2, 6],
    from: 3,
    use: [300, 500, 700],
    percent: 30,
    to: 5,
    conditions: [DONE, ACTIVE, WITHIN],
  },
  {
    title: "less use",
    bounds: [2, 6],
    from: 5,
    use: [100, 300, 500, 250, 250],
    percent: 50,
    spec: quickly,
    to: 3,
    conditions: [DONE, ACTIVE, WITHIN],
  },
  {
    title: "less use, at first",
    bounds: [2, 6],
    from: 5,
    use: [100, 300, 500, 250, 250],
    percent: 50,
    to: 5,
    conditions: ["True ScaleDownStabilized", ACTIVE, WITHIN],
  },
  {
    title: "about as wanted",
    bounds: [1, 5],
    from: 3,
    use: [1010, 1030, 1020],
    percent: 100,
    to: 3,
    conditions: [READY, ACTIVE, WITHIN],
  },
  {
    title: "less than the minimum",
    bounds: [2, 5],
    from: 3,
    use: [10, 95, 10],
    percent: 90,
    spec: quickly,
    to: 2,
    conditions: [DONE, ACTIVE, "True TooFewReplicas"],
  },
  {
    title: "nothing, where none may be",
    bounds: [0, 5],
    from: 3,
    use: [0, 0, 0],
    percent: 90,
    spec: quickly,
    to: 0,
    conditions: [DONE, ACTIVE, WITHIN],
  },
  {
    title: "no replicas",
    bounds: [3, 5],
    from: 0,
    use: [],
    percent: 90,
    to: 0,
    conditions: ["True SucceededGetScale", "False ScalingDisabled"],
  },
  { title: "too few", bounds: [3, 5], from: 2, use: [], percent: 90, to: 3, conditions: [DONE] },
  { title: "too many", bounds: [3, 5], from: 10, use: [], percent: 90, to: 5, conditions: [DONE] },
  {
    title: "more than the maximum",
    bounds: [2, 5],
    from: 3,
    use: [8000, 9500, 1000],
    percent: 90,
    to: 5,
    conditions: [DONE, ACTIVE, "True TooManyReplicas"],
  },
  {
    title: "values of pods that are gone",
    bounds: [2, 6],
    from: 4,
    use: [4000, 9500, 3000, 7000, 3200, 2000],
    percent: 100,
    to: 6,
    conditions: [DONE, ACTIVE, "True TooManyReplicas"],
  },
  {
    title: "missing values",
    bounds: [2, 6],
    from: 4,
    use: [400, 95],
    percent: 100,
    spec: quickly,
    to: 3,
    conditions: [DONE, ACTIVE, WITHIN],
  },
  {
    title: "no values",
    bounds: [2, 6],
    from: 4,
    use: [],
    percent: 100,
    to: 4,
    conditions: ["True SucceededGetScale", "False FailedGetResourceMetric"],
  },
  {
    title: "nobody answers",
    bounds: [1, 100],
    from: 3,
    use: undefined,
    percent: 10,
    to: 3,
    conditions: ["True SucceededGetScale", "False FailedGetResourceMetric"],
  },
  {
    title: "eight times as many a minute",
    bounds: [1, 100],
    from: 3,
    use: [100, 200, 300],
    request: 100,
    percent: 10,
    spec: {
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          policies: [{ type: "Percent", value: 700, periodSeconds: 60 }],
        },
      },
    },
    to: 24,
    conditions: [DONE, ACTIVE, "True ScaleUpLimit"],
  },
  {
    title: "without a selector",
    bounds: [1, 100],
    from: 3,
    use: [100, 200, 300],
    request: 100,
    percent: 10,
    selector: "",
    to: 3,
    conditions: ["True SucceededGetScale", "False InvalidSelector"],
  },
  {
    title: "with a selector that is none",
    bounds: [1, 100],
    from: 3,
    use: [100, 200, 300],
    request: 100,
    percent: 10,
    selector: "cheddar cheese",
    to: 3,
    conditions: ["True SucceededGetScale", "False InvalidSelector"],
  },
  {
    title: "of a size that nobody may change",
    bounds: [1, 5],
    from: 3,
    use: [150, 150, 150],
    request: 100,
    percent: 100,
    isFixed: true,
    to: 3,
    conditions: ["False FailedUpdateScale", ACTIVE, WITHIN],
  },
];
for (const row of rows) {
  test(`one look: ${row.title}`, async () => {
    const cluster = new Cluster();
    const { from, use, request = 1000, selector = "app=web", isFixed = false } = row;
    Object.assign(cluster, { replicas: from, use, request, selector, isFixed });
    const [minReplicas, maxReplicas] = row.bounds;
    const target = { type: "Utilization", averageUtilization: row.percent };
    await using _ = await cluster.start({
      minReplicas,
      maxReplicas,
      metrics: [{ type: "Resource", resource: { name: "cpu", target } }],
      ...row.spec,
    });
    assert.equal(cluster.replicas, row.to);
    const { AbleToScale, ScalingActive, ScalingLimited } = await cluster.status();
    const found = [AbleToScale, ScalingActive, ScalingLimited].filter((one) => one !== undefined);
    assert.deepEqual(found, row.conditions);
    const rescaled = cluster.events.some((text) => text.startsWith("SuccessfulRescale"));
    assert.equal(rescaled, row.from !== row.to);
  });
}

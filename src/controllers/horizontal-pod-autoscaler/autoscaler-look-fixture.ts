import assert from "node:assert/strict";
import type {
  HorizontalPodAutoscalerSpec,
  MetricSpec,
} from "../../api/generated/types/autoscaling-v2.ts";
import { Cluster, type PodFacts } from "./autoscaler-fixture.ts";

/** Values that an adapter answers with, by the path below the version. */
export type Adapted = readonly [path: string, values: string[]];

/** What one look of the controller finds, and what it makes of it. */
export interface Look {
  title: string;
  bounds?: [minReplicas: number, maxReplicas: number];
  from: number;
  /** Of each pod, in thousandths. */
  use?: number[];
  request?: number;
  facts?: PodFacts[];
  podCount?: number;
  /** Of the CPU that the pods ask for. */
  percent?: number;
  metrics?: MetricSpec[];
  adapted?: Adapted;
  spec?: Partial<HorizontalPodAutoscalerSpec>;
  isLost?: boolean;
  lastScaleTime?: string;
  to: number;
  /** What the status tells of the use of CPU. */
  told?: number;
  /** Status and reason of AbleToScale, ScalingActive and ScalingLimited; as after a change. */
  conditions?: [able: string, active?: string, limited?: string];
}

/** Conditions, by status and reason. */
export const DONE: string = "True SucceededRescale";
const READY: string = "True ReadyForNewScale";
export const GOT: string = "True SucceededGetScale";
export const ACTIVE: string = "True ValidMetricFound";
export const WITHIN: string = "False DesiredWithinRange";
export const TOO_MANY: string = "True TooManyReplicas";
/** Nothing had to change. */
export const KEPT: [string, string, string] = [READY, ACTIVE, WITHIN];
/** Without waiting for more of it. */
export const quickly: Pick<HorizontalPodAutoscalerSpec, "behavior"> = {
  behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
};
/** When the cluster begins. */
export const NOW: string = "2025-01-01T00:00:00Z";

/** Lets a controller look once. @throws AssertionError */
export async function look(row: Look): Promise<void> {
  const cluster = new Cluster();
  const { from, percent, conditions = [DONE, ACTIVE, WITHIN] } = row;
  const { use = [], request = 1000, facts = [], podCount, isLost = false, lastScaleTime } = row;
  Object.assign(cluster, {
    replicas: from,
    use,
    request,
    facts,
    podCount,
    isLost,
    lastScaleTime,
  });
  if (row.adapted) cluster.adapted.set(...row.adapted);
  const [minReplicas, maxReplicas] = row.bounds ?? [2, 6];
  const target = { type: "Utilization", averageUtilization: percent ?? 0 };
  const ofCpu: MetricSpec[] =
    percent === undefined ? [] : [{ type: "Resource", resource: { name: "cpu", target } }];
  const metrics = [...ofCpu, ...(row.metrics ?? [])];
  await using _ = await cluster.start({ minReplicas, maxReplicas, metrics, ...row.spec });
  assert.equal(cluster.replicas, row.to);
  const { AbleToScale, ScalingActive, ScalingLimited } = await cluster.status();
  const found = [AbleToScale, ScalingActive, ScalingLimited].filter((one) => one !== undefined);
  assert.deepEqual(found, conditions);
  if (row.told !== undefined) assert.equal(await cluster.utilization(), row.told);
  const rescaled = cluster.events.some((text) => text.startsWith("SuccessfulRescale"));
  assert.equal(rescaled, from !== row.to);
}

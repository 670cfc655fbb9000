import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
} from "../../api/generated/types/autoscaling-v2.ts";
import {
  failedValue,
  failureReason,
  type Proposal,
  type ProposalContext,
  proposeReplicas,
} from "./metric-proposal.ts";

/** What upstream takes where nothing else is asked for. */
const DEFAULT_METRICS: readonly MetricSpec[] = [
  {
    type: "Resource",
    resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
  },
];

/** A metric that could not be used. */
export interface MetricFailure {
  reason: string;
  message: string;
  /** What it was to be the value of, and the message. */
  account: string;
}

/** What all metrics together ask for. */
export interface Combined {
  /** The largest proposal; absent when no decision may be made. */
  best: Proposal | undefined;
  /** One for each metric, in their order; a failed one has no type. */
  statuses: MetricStatus[];
  failures: MetricFailure[];
  metricCount: number;
}

/**
 * Asks every metric and takes the largest answer. With a part of the metrics missing replicas may
 * be added but not taken away: what is not known could need them.
 */
export async function combineMetrics(
  { spec }: HorizontalPodAutoscaler,
  context: ProposalContext,
): Promise<Combined> {
  const metrics = spec?.metrics?.length ? spec.metrics : DEFAULT_METRICS;
  const statuses: MetricStatus[] = [];
  const failures: MetricFailure[] = [];
  let best: Proposal | undefined;
  for (const metric of metrics) {
    try {
      const proposal = await proposeReplicas(metric, context);
      statuses.push(proposal.status);
      if (!best || proposal.replicas > best.replicas) best = proposal;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const account = `${failedValue(metric)}: ${message}`;
      failures.push({ reason: failureReason(metric), message, account });
      // Printers tell metrics apart by their place.
      statuses.push({ type: "" });
    }
  }
  const shrinksBlindly = failures.length > 0 && best && best.replicas < context.currentReplicas;
  return {
    best: shrinksBlindly ? undefined : best,
    statuses,
    failures,
    metricCount: metrics.length,
  };
}

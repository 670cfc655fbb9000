import type { MetricFamily, Sample } from "../../lib/prometheus.ts";
import type { PriorityLevel } from "./priority-level.ts";

/** What became of the requests of one FlowSchema. */
export class FlowCounts {
  readonly labels: { priority_level: string; flow_schema: string };
  executing = 0;
  waiting = 0;
  dispatchedTotal = 0;
  rejectedTotal = 0;

  constructor(level: string, schema: string) {
    this.labels = { priority_level: level, flow_schema: schema };
  }

  /** A request got its seat. */
  dispatched(): void {
    this.executing++;
    this.dispatchedTotal++;
  }

  /** Counts a request that waits for a seat, and how that ends. */
  async waited(seat: Promise<void>): Promise<void> {
    this.waiting++;
    try {
      await seat;
      this.dispatched();
    } catch (error) {
      this.rejectedTotal++;
      throw error;
    } finally {
      this.waiting--;
    }
  }
}

/** In upstream's names. */
export function flowMetrics(
  levels: ReadonlyMap<string, PriorityLevel>,
  counts: ReadonlyMap<string, FlowCounts>,
): MetricFamily[] {
  const perFlow = (of: (each: FlowCounts) => number): Sample[] =>
    [...counts.values()].map((each) => ({ labels: each.labels, value: of(each) }));
  const perLevel = (of: (level: PriorityLevel) => number): Sample[] =>
    [...levels].map(([name, level]) => ({ labels: { priority_level: name }, value: of(level) }));
  return [
    {
      name: "apiserver_flowcontrol_current_executing_requests",
      type: "gauge",
      help: "Requests that hold a seat.",
      samples: perFlow(({ executing }) => executing),
    },
    {
      name: "apiserver_flowcontrol_current_inqueue_requests",
      type: "gauge",
      help: "Requests that wait for a seat.",
      samples: perFlow(({ waiting }) => waiting),
    },
    {
      name: "apiserver_flowcontrol_dispatched_requests_total",
      type: "counter",
      help: "Requests that got a seat.",
      samples: perFlow(({ dispatchedTotal }) => dispatchedTotal),
    },
    {
      name: "apiserver_flowcontrol_rejected_requests_total",
      type: "counter",
      help: "Requests that got none: too many were waiting, or it took too long.",
      samples: perFlow(({ rejectedTotal }) => rejectedTotal),
    },
    {
      name: "apiserver_flowcontrol_nominal_limit_seats",
      type: "gauge",
      help: "Seats that a priority level has for itself.",
      samples: perLevel(({ seats }) => seats.nominal),
    },
    {
      name: "apiserver_flowcontrol_current_limit_seats",
      type: "gauge",
      help: "Seats that a priority level has now, lent and borrowed ones counted.",
      samples: perLevel(({ seats }) => seats.limit),
    },
  ];
}

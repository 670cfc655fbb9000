import type { Clock } from "../../lib/clock.ts";
import { Histogram, type MetricFamily, type Sample } from "../../lib/prometheus.ts";

/** Upper ends of upstream's buckets for webhooks, and for policies. */
const WEBHOOK_SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];
const POLICY_SECONDS = [0.0000005, 0.001, 0.01, 0.1, 1];
/** Kinds of calls that are told apart; more are not counted. */
const ROWS_MAX = 1_000;

/** How a call of a webhook ended. */
export interface WebhookOutcome {
  name: string;
  type: "admit" | "validating";
  operation: string;
  rejected: boolean;
  /** Status that the webhook answered with; 0 where it could not be asked. */
  code: number;
  /** Why a rejection is one: its answer, or that it could not be called. */
  errorType: "no_error" | "calling_webhook_error" | undefined;
  /** It failed, and its policy is to ignore that. */
  failedOpen: boolean;
  /** As `begin` told. */
  beganMs: number;
}

/** What a policy with one of its bindings decided. */
export interface PolicyOutcome {
  policy: string;
  binding: string;
  action: "allow" | "deny" | "audit" | "warn";
  /** Whether the binding could not be used at all. */
  failed: boolean;
  beganMs: number;
}

interface Row {
  labels: Record<string, string>;
  durations: Histogram;
  count: number;
}

/** Counts what admission asked others, as kube-apiserver does. */
export class AdmissionMetrics {
  readonly #clock: Clock;
  readonly #webhooks = new Rows(WEBHOOK_SECONDS);
  readonly #requests = new Rows([]);
  readonly #rejections = new Rows([]);
  readonly #failedOpen = new Rows([]);
  readonly #policies = new Rows(POLICY_SECONDS);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When a call begins. */
  begin(): number {
    return this.#clock.monotonicMs();
  }

  webhook(outcome: WebhookOutcome): void {
    const { name, type, operation, rejected, code, errorType } = outcome;
    const durationMs = this.begin() - outcome.beganMs;
    const of = { name, type, operation };
    this.#webhooks.add({ ...of, rejected: String(rejected) }, durationMs);
    this.#requests.add({ ...of, rejected: String(rejected), code: String(code) }, durationMs);
    if (errorType) {
      this.#rejections.add({ ...of, error_type: errorType, rejection_code: String(code) });
    }
    if (outcome.failedOpen) this.#failedOpen.add({ name, type });
  }

  policy({ policy, binding, action, failed, beganMs }: PolicyOutcome): void {
    const labels = {
      policy,
      policy_binding: binding,
      enforcement_action: action,
      error_type: failed ? "invalid_error" : "no_error",
    };
    this.#policies.add(labels, this.begin() - beganMs);
  }

  families(): MetricFamily[] {
    const webhook = "apiserver_admission_webhook_";
    const policy = "apiserver_validating_admission_policy_check_";
    return [
      {
        name: `${webhook}admission_duration_seconds`,
        type: "histogram",
        help: "Seconds that calls of webhooks took.",
        samples: this.#webhooks.durations(),
      },
      {
        name: `${webhook}request_total`,
        type: "counter",
        help: "Calls of webhooks, by the code of the answer.",
        samples: this.#requests.counts(),
      },
      {
        name: `${webhook}rejection_count`,
        type: "counter",
        help: "Requests that a webhook, or the lack of its answer, refused.",
        samples: this.#rejections.counts(),
      },
      {
        name: `${webhook}fail_open_count`,
        type: "counter",
        help: "Calls that failed and were ignored.",
        samples: this.#failedOpen.counts(),
      },
      {
        name: `${policy}total`,
        type: "counter",
        help: "Requests that policies looked at, by what they decided.",
        samples: this.#policies.counts(),
      },
      {
        name: `${policy}duration_seconds`,
        type: "histogram",
        help: "Seconds that policies took to decide.",
        samples: this.#policies.durations(),
      },
    ];
  }
}

class Rows {
  readonly #bounds: readonly number[];
  readonly #rows = new Map<string, Row>();

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  add(labels: Record<string, string>, durationMs = 0): void {
    const key = JSON.stringify(labels);
    let row = this.#rows.get(key);
    if (!row) {
      if (this.#rows.size >= ROWS_MAX) return;
      row = { labels, durations: new Histogram(this.#bounds), count: 0 };
      this.#rows.set(key, row);
    }
    row.count++;
    row.durations.observe(durationMs / 1000);
  }

  counts(): Sample[] {
    return [...this.#rows.values()].map(({ labels, count }) => ({ labels, value: count }));
  }

  durations(): Sample[] {
    return [...this.#rows.values()].flatMap(({ labels, durations }) => durations.samples(labels));
  }
}

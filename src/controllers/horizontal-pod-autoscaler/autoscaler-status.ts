import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from "../../api/generated/types/autoscaling-v2.ts";
import { formatTime } from "../../lib/clock.ts";
import { withCondition } from "../conditions.ts";

type ConditionType = "AbleToScale" | "ScalingActive" | "ScalingLimited";

/** Collects what one look at an autoscaler found out. */
export class StatusDraft {
  readonly #nowMs: number;
  readonly #old: HorizontalPodAutoscalerStatus;
  #conditions: HorizontalPodAutoscalerCondition[];
  #metrics: MetricStatus[] | undefined;
  #replicas: { current: number; desired: number };
  #scaled = false;

  constructor({ status }: HorizontalPodAutoscaler, nowMs: number) {
    this.#nowMs = nowMs;
    this.#old = status ?? { desiredReplicas: 0 };
    this.#conditions = status?.conditions ?? [];
    this.#metrics = status?.currentMetrics;
    this.#replicas = {
      current: status?.currentReplicas ?? 0,
      desired: status?.desiredReplicas ?? 0,
    };
  }

  condition(type: ConditionType, is: boolean, of: { reason: string; message: string }): void {
    const { reason, message } = of;
    const wanted = { type, status: is ? "True" : "False", reason, message };
    this.#conditions = withCondition(this.#conditions, wanted, this.#nowMs);
  }

  replicas(current: number, desired: number): void {
    this.#replicas = { current, desired };
  }

  /** None when nobody was asked. */
  metrics(statuses: MetricStatus[]): void {
    this.#metrics = statuses;
  }

  /** The size was changed now. */
  scaled(): void {
    this.#scaled = true;
  }

  finish(generation: number | undefined): HorizontalPodAutoscalerStatus {
    const lastScaleTime = this.#scaled ? formatTime(this.#nowMs) : this.#old.lastScaleTime;
    return {
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      ...(lastScaleTime ? { lastScaleTime } : {}),
      currentReplicas: this.#replicas.current,
      desiredReplicas: this.#replicas.desired,
      ...(this.#metrics?.length ? { currentMetrics: this.#metrics } : {}),
      conditions: this.#conditions,
    };
  }
}

import { HORIZONTAL_POD_AUTOSCALERS, PODS } from "../../api/generated/resources.ts";
import type { Scale } from "../../api/generated/types/autoscaling-v1.ts";
import type { HorizontalPodAutoscaler } from "../../api/generated/types/autoscaling-v2.ts";
import type { PolicyRule } from "../../api/generated/types/rbac-v1.ts";
import {
  type ControllerDefinition,
  defineController,
  input,
  type ReconcileContext,
} from "../../client/controller.ts";
import { type LabelRequirements, matchesLabels, parseLabelSelector } from "../../lib/labels.ts";
import { jsonEqual } from "../json-equal.ts";
import { refOf } from "../ownership.ts";
import { StatusDraft } from "./autoscaler-status.ts";
import { MetricSource } from "./metric-source.ts";
import type { ProposalContext } from "./metric-proposal.ts";
import { combineMetrics } from "./recommendation.ts";
import { limitReplicas, type ScaleHistory, trimHistory } from "./scaling-limits.ts";
import { SelectorTable } from "./selector-table.ts";
import { ScaleTargets } from "../scale-target.ts";

const SYNC_MS = 15_000;

/** Targets and metrics are of kinds that only the autoscalers name. */
const NAMED_BY_AUTOSCALERS: readonly PolicyRule[] = [
  { apiGroups: ["*"], resources: ["*/scale"], verbs: ["get", "update"] },
  { apiGroups: ["metrics.k8s.io"], resources: ["pods"], verbs: ["list"] },
  { apiGroups: ["custom.metrics.k8s.io"], resources: ["*"], verbs: ["get", "list"] },
  { apiGroups: ["external.metrics.k8s.io"], resources: ["*"], verbs: ["get", "list"] },
];

const inputs = {
  autoscalers: input(HORIZONTAL_POD_AUTOSCALERS, (autoscaler) => [refOf(autoscaler)]),
  // Metrics are looked at in their own rhythm, whatever pods do.
  pods: input(PODS, () => []),
};
type Context = ReconcileContext<typeof inputs>;
type Spec = NonNullable<HorizontalPodAutoscaler["spec"]>;

/** The first two remember what discovery said. */
interface Access {
  targets: ScaleTargets;
  source: MetricSource;
  selectors: SelectorTable;
}

/** What is remembered of an autoscaler between two looks. */
interface Memory {
  nextMs: number;
  /** Undefined before the first look. */
  history: ScaleHistory | undefined;
}

/** Sizes workloads by what their pods use or by metrics that adapters serve. */
export function horizontalPodAutoscalerController(): ControllerDefinition {
  const memories = new Map<string, Memory>();
  let access: Access | undefined;
  return defineController({
    name: "horizontal-pod-autoscaler",
    inputs,
    outputs: [
      { resource: HORIZONTAL_POD_AUTOSCALERS, verbs: ["update"], subresources: ["status"] },
    ],
    undeclared: NAMED_BY_AUTOSCALERS,
    async reconcile(context, key) {
      const keyText = `${key.namespace}/${key.name}`;
      const autoscaler = context.inputs.autoscalers.get(key.namespace, key.name);
      const spec = autoscaler?.spec;
      if (!autoscaler || !spec) {
        memories.delete(keyText);
        access?.selectors.delete(key);
        return {};
      }
      const nowMs = context.clock.now();
      // The first look waits, too: what was just made has no metrics yet.
      const known = memories.get(keyText) ?? { nextMs: nowMs + SYNC_MS, history: undefined };
      memories.set(keyText, known);
      if (known.nextMs > nowMs) return { requeueAfterMs: known.nextMs - nowMs };
      const history = known.history ?? { recommendations: [], events: [] };
      const { transport } = context.client;
      access ??= {
        targets: new ScaleTargets(transport),
        source: new MetricSource(transport),
        selectors: new SelectorTable(),
      };
      const look = new Look(context, {
        access,
        autoscaler,
        spec,
        history,
        isFirst: !known.history,
      });
      try {
        await look.run();
      } finally {
        memories.set(keyText, { nextMs: nowMs + SYNC_MS, history: look.history });
      }
      return { requeueAfterMs: SYNC_MS };
    },
  });
}

/** One look at one autoscaler. */
class Look {
  history: ScaleHistory;
  readonly #context: Context;
  readonly #autoscaler: HorizontalPodAutoscaler;
  readonly #spec: Spec;
  readonly #isFirst: boolean;
  readonly #nowMs: number;
  readonly #draft: StatusDraft;
  readonly #access: Access;

  constructor(
    context: Context,
    of: {
      access: Access;
      autoscaler: HorizontalPodAutoscaler;
      spec: Spec;
      history: ScaleHistory;
      isFirst: boolean;
    },
  ) {
    this.#context = context;
    this.#autoscaler = of.autoscaler;
    this.#spec = of.spec;
    this.#isFirst = of.isFirst;
    this.#nowMs = context.clock.now();
    this.history = trimHistory(of.history, { spec: of.spec, nowMs: this.#nowMs });
    this.#draft = new StatusDraft(of.autoscaler, this.#nowMs);
    this.#access = of.access;
  }

  async run(): Promise<void> {
    try {
      const scale = await this.#readScale();
      if (scale) await this.#decide(scale);
    } finally {
      await this.#writeStatus();
    }
  }

  get #namespace(): string {
    return this.#autoscaler.metadata?.namespace ?? "";
  }

  async #readScale(): Promise<Scale | undefined> {
    try {
      const scale = await this.#access.targets.read(this.#namespace, this.#spec.scaleTargetRef);
      this.#draft.condition("AbleToScale", true, {
        reason: "SucceededGetScale",
        message: "the HPA controller was able to get the target's current scale",
      });
      return scale;
    } catch (error) {
      const message = `the HPA controller was unable to get the target's current scale: ${textOf(error)}`;
      this.#draft.condition("AbleToScale", false, { reason: "FailedGetScale", message });
      this.#warn("FailedGetScale", textOf(error));
      return undefined;
    }
  }

  async #decide(scale: Scale): Promise<void> {
    const current = scale.spec?.replicas ?? 0;
    const { minReplicas = 1, maxReplicas } = this.#spec;
    if (this.#isFirst) this.#recommended(current);
    this.#draft.replicas(current, this.#autoscaler.status?.desiredReplicas ?? 0);
    if (current === 0 && minReplicas !== 0) {
      this.#draft.condition("ScalingActive", false, {
        reason: "ScalingDisabled",
        message: "scaling is disabled since the replica count of the target is zero",
      });
      this.#draft.replicas(current, 0);
      this.#draft.metrics([]);
      return;
    }
    if (current > maxReplicas) {
      const reason = "Current number of replicas above Spec.MaxReplicas";
      return this.#bound(scale, { to: maxReplicas, reason });
    }
    if (current < minReplicas) {
      const reason = "Current number of replicas below Spec.MinReplicas";
      return this.#bound(scale, { to: minReplicas, reason });
    }
    await this.#followMetrics(scale, current);
  }

  /** Bounds hold whatever is measured; nobody is asked. */
  async #bound(scale: Scale, into: { to: number; reason: string }): Promise<void> {
    if (await this.#resize(scale, into)) this.#draft.metrics([]);
  }

  async #followMetrics(scale: Scale, current: number): Promise<void> {
    const proposalContext = this.#proposalContext(scale, current);
    if (!proposalContext) return;
    const combined = await combineMetrics(this.#autoscaler, proposalContext);
    const { best, statuses, failures, metricCount } = combined;
    for (const { reason, message } of failures) this.#warn(reason, message);
    this.#draft.metrics(statuses);
    if (!best) {
      const [failure] = failures;
      const what = `invalid metrics (${failures.length} invalid out of ${metricCount})`;
      const why = failure?.account ?? "no metrics";
      this.#warn("FailedComputeMetricsReplicas", `${what}, first error is: ${why}`);
      const message = `the HPA was unable to compute the replica count: ${failure?.message ?? "no metrics"}`;
      const reason = failure?.reason ?? "InvalidMetricSourceType";
      this.#draft.condition("ScalingActive", false, { reason, message });
      return;
    }
    this.#draft.condition("ScalingActive", true, {
      reason: "ValidMetricFound",
      message: `the HPA was able to successfully calculate a replica count from ${best.name}`,
    });
    const wanted = best.replicas;
    const { replicas, stabilized, limited } = limitReplicas(this.#spec, {
      current,
      wanted,
      history: this.history,
      nowMs: this.#nowMs,
    });
    this.#recommended(wanted);
    this.#draft.condition("AbleToScale", true, stabilized);
    this.#draft.condition("ScalingLimited", limited.limited, limited);
    if (replicas === current) return this.#draft.replicas(current, current);
    const reason = wanted > current ? `${best.name} above target` : "All metrics below target";
    await this.#resize(scale, { to: replicas, reason });
  }

  #proposalContext(scale: Scale, currentReplicas: number): ProposalContext | undefined {
    const namespace = this.#namespace;
    const selector = scale.status?.selector ?? "";
    if (selector === "") {
      const message = "the HPA target's scale is missing a selector";
      this.#draft.condition("ScalingActive", false, { reason: "InvalidSelector", message });
      this.#warn("SelectorRequired", "selector is required");
      this.#warn("FailedComputeMetricsReplicas", "selector is required");
      return undefined;
    }
    const requirements = parsed(selector);
    if (requirements instanceof Error) {
      const what = "couldn't convert selector into a corresponding internal selector object";
      return this.#refuse("InvalidSelector", `${what}: ${requirements.message}`);
    }
    const pods = this.#context.inputs.pods
      .list(namespace)
      .filter((pod) => matchesLabels(requirements, pod.metadata?.labels));
    const { selectors } = this.#access;
    selectors.set({ namespace, name: this.#autoscaler.metadata?.name ?? "" }, requirements);
    const selecting = selectors.selecting(pods, namespace);
    if (selecting.length > 1) {
      const names = selecting.map(({ name }) => `{${name} ${namespace}}`).join(" ");
      const what = `pods by selector ${selector} are controlled by multiple HPAs: [${names}]`;
      return this.#refuse("AmbiguousSelector", what);
    }
    return {
      ...this.#access,
      namespace,
      selector,
      pods,
      currentReplicas,
      statusReplicas: scale.status?.replicas ?? 0,
      nowMs: this.#nowMs,
    };
  }

  #refuse(reason: string, message: string): undefined {
    this.#draft.condition("ScalingActive", false, { reason, message });
    this.#warn(reason, message);
    this.#warn("FailedComputeMetricsReplicas", message);
  }

  async #resize(scale: Scale, { to, reason }: { to: number; reason: string }): Promise<boolean> {
    const current = scale.spec?.replicas ?? 0;
    const reference = this.#spec.scaleTargetRef;
    try {
      await this.#access.targets.resize(this.#namespace, reference, {
        ...scale,
        spec: { ...scale.spec, replicas: to },
      });
    } catch (error) {
      const message = `the HPA controller was unable to update the target scale: ${textOf(error)}`;
      this.#draft.condition("AbleToScale", false, { reason: "FailedUpdateScale", message });
      this.#warn("FailedRescale", `New size: ${to}; reason: ${reason}; error: ${textOf(error)}`);
      return false;
    }
    this.#draft.condition("AbleToScale", true, {
      reason: "SucceededRescale",
      message: `the HPA controller was able to update the target scale to ${to}`,
    });
    this.#draft.replicas(current, to);
    this.#draft.scaled();
    const event = { change: to - current, atMs: this.#nowMs };
    this.history = { ...this.history, events: [...this.history.events, event] };
    const message = `New size: ${to}; reason: ${reason}`;
    this.#context.events.record({
      about: this.#about(),
      type: "Normal",
      reason: "SuccessfulRescale",
      message,
    });
    return true;
  }

  #recommended(replicas: number): void {
    const { recommendations } = this.history;
    const latest = { replicas, atMs: this.#nowMs };
    this.history = { ...this.history, recommendations: [...recommendations, latest] };
  }

  #warn(reason: string, message: string): void {
    this.#context.events.record({ about: this.#about(), type: "Warning", reason, message });
  }

  #about(): object {
    const { apiVersion, kind, metadata } = this.#autoscaler;
    return {
      apiVersion: apiVersion ?? "autoscaling/v2",
      kind: kind ?? "HorizontalPodAutoscaler",
      metadata,
    };
  }

  async #writeStatus(): Promise<void> {
    const status = this.#draft.finish(this.#autoscaler.metadata?.generation);
    if (jsonEqual(status, this.#autoscaler.status)) return;
    const client = this.#context.client.for(HORIZONTAL_POD_AUTOSCALERS);
    await client.updateStatus({ ...this.#autoscaler, status });
  }
}

function parsed(selector: string): LabelRequirements | Error {
  try {
    return parseLabelSelector(selector);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import type { TracingRules } from "../agent/config/tracing-configuration.ts";
import type { PodTracer, TracedPod } from "../agent/pod-tracer.ts";
import { OtlpExporter } from "../apiserver/tracing/otlp-exporter.ts";
import { type OpenSpan, Tracer } from "../apiserver/tracing/tracer.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import { NEPHOS_VERSION } from "./version.ts";

/** Steps of a pod that follow one another within this time are of one span. */
const PAUSE_MS = 100;

/** A pod that is worked on. */
interface Sync {
  /** Undefined for one that is not recorded. */
  span: OpenSpan | undefined;
  /** Steps that are under way. */
  steps: number;
  end: Timer | undefined;
}

/** What `createPodTracer` needs. */
export interface PodTracerOptions {
  tracer: Tracer;
  clock: Clock;
}

/** A tracer of pods and what sends its spans; disposing sends what waits. */
export interface PodTracing extends AsyncDisposable {
  tracer: PodTracer;
}

/** What a KubeletConfiguration's `tracing` asks for; none without. */
export function openPodTracing(
  rules: TracingRules | undefined,
  of: { node: string; clock: Clock; random: Random; logger: Logger },
): PodTracing | undefined {
  if (!rules) return undefined;
  const { node, clock, random } = of;
  const resource = {
    "service.name": "kubelet",
    "service.version": NEPHOS_VERSION,
    "host.name": node,
  };
  const logger = of.logger.with({ component: "tracing" });
  const exporter = new OtlpExporter({
    collector: rules.collector,
    scope: "nephos/agent",
    resource,
    clock,
    logger,
  });
  const { samplingRatePerMillion } = rules;
  const record = (span: Parameters<typeof exporter.add>[0]) => exporter.add(span);
  const tracer = new Tracer({ samplingRatePerMillion, clock, random, record });
  return {
    tracer: createPodTracer({ tracer, clock }),
    [Symbol.asyncDispose]: () => exporter[Symbol.asyncDispose](),
  };
}

/** Spans as a kubelet has them: "syncPod" for what is done for a pod in one go, its steps in it. */
export function createPodTracer({ tracer, clock }: PodTracerOptions): PodTracer {
  const syncs = new Map<string, Sync>();
  const finish = (pod: TracedPod, { span }: Sync, atMs: number) => {
    syncs.delete(pod.uid);
    const { uid, name, namespace } = pod;
    const attributes = {
      "k8s.pod.uid": uid,
      "k8s.pod": `${namespace}/${name}`,
      "k8s.pod.name": name,
      "k8s.namespace.name": namespace,
    };
    span?.end({ attributes, atMs });
  };
  return {
    async step(pod, name, work) {
      let sync = syncs.get(pod.uid);
      if (!sync) {
        const span = tracer.samples() ? tracer.begin("syncPod") : undefined;
        syncs.set(pod.uid, (sync = { span, steps: 0, end: undefined }));
      }
      const { span } = sync;
      sync.end?.cancel();
      sync.steps++;
      try {
        if (!span) return await work();
        return await tracer.run(span, () => tracer.within({ name, kind: "internal" }, work));
      } finally {
        const current = sync;
        const atMs = clock.monotonicMs();
        if (--current.steps === 0) {
          current.end = clock.setTimer(PAUSE_MS, () => finish(pod, current, atMs));
        }
      }
    },
  };
}

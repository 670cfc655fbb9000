import type { Container, LifecycleHandler, Probe } from "../../api/generated/types/core-v1.ts";
import type { ProbeReport, ProbeTarget } from "../probe/contract.ts";
import { containerIdOf } from "./container-status.ts";
import { runLifecycleHook } from "./lifecycle-hook.ts";
import type { Health } from "./observation.ts";
import { fieldPathOf, identityOf, type PodContainer, referenceTo } from "./pod-containers.ts";
import type { PodParts, WorkerHooks } from "./pod-context.ts";
import { messageOf } from "./pod-failure.ts";
import { containerState, type PodState } from "./pod-state.ts";

/** The longest that a timer can run: a postStart hook has no limit of its own. */
const POST_START_MS = 2 ** 31 - 1;

/** How a kubelet tells what became of an attempt. */
const EVENTS = {
  failure: { reason: "Unhealthy", word: "failed" },
  error: { reason: "Unhealthy", word: "errored" },
  warning: { reason: "ProbeWarning", word: "warning" },
} as const;

/** Starts probing a container that runs now, and its postStart hook if it is `fresh`. */
export function beginHealth(
  state: PodState,
  item: PodContainer,
  { parts, hooks, adopted }: { parts: PodParts; hooks: WorkerHooks; adopted?: boolean },
): void {
  const { container, role } = item;
  const seen = containerState(state, container.name);
  const target = probeTarget(state, item, parts);
  if (!target) return;
  seen.probes?.[Symbol.dispose]();
  const probed = role === "main" || role === "sidecar";
  const { startupProbe, readinessProbe, livenessProbe } = probed ? container : {};
  const before = adopted ? storedHealth(state, container.name) : undefined;
  // What was not started for its hook only is so now: no agent asks a hook twice.
  const started = !startupProbe || before?.started === true;
  seen.health = { started, ready: before?.ready || (started && !readinessProbe) };
  const hook = adopted ? undefined : container.lifecycle?.postStart;
  seen.hookPending = hook !== undefined;
  if (startupProbe || readinessProbe || livenessProbe) {
    const asked = started ? { ...target, container: withoutStartup(container) } : target;
    seen.probes = parts.prober.watch(asked, (report) => {
      if (seen.current?.status.id !== target.containerId) return;
      applyReport(state, { item, report, parts });
      hooks.changed();
    });
  }
  if (!hook) return;
  const finish = (error?: unknown) => {
    if (seen.current?.status.id !== target.containerId) return;
    seen.hookPending = false;
    if (error !== undefined) {
      // What a hook says may hold secrets: whoever reads events need not be allowed to read those.
      const failed = { reason: "FailedPostStartHook", message: "PostStartHook failed" };
      seen.health = { ...seen.health, failed };
      seen.current.hookFailed = hookFailure(hook, { target, error });
      const about = referenceTo(state.pod);
      parts.events.record({ about, type: "Warning", ...failed, fieldPath: fieldPathOf(item) });
      const fields = { ...identityOf(state.pod), container: container.name };
      parts.logger.info("a postStart hook failed", { ...fields, error: messageOf(error) });
    }
    hooks.changed();
  };
  const timeoutMs = POST_START_MS;
  runLifecycleHook(hook, target, { parts, timeoutMs }).then(() => finish(), finish);
}

/** What the status of a container says whose postStart hook failed, in a kubelet's words. */
function hookFailure(
  { exec, httpGet, sleep }: LifecycleHandler,
  { target: { pod, container }, error }: { target: ProbeTarget; error: unknown },
): string {
  const { name, namespace, uid } = identityOf(pod);
  const where = `Container "${container.name}" in Pod "${name}_${namespace}(${uid})"`;
  const kind = exec ? "Exec" : httpGet ? "HTTP" : "Sleep";
  const what = exec ? `[${(exec.command ?? []).join(" ")}]` : (httpGet?.path ?? sleep?.seconds);
  return `${kind} lifecycle hook (${what}) for ${where} failed - error: ${messageOf(error)}`;
}

/** A new agent does not make a pod unready: what was true of its container still is. */
function storedHealth(state: PodState, name: string): Health | undefined {
  const { status } = state.pod;
  const stored = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ].find((entry) => entry.name === name);
  const id = state.containers.get(name)?.current?.status.id ?? "";
  if (stored?.containerID !== containerIdOf(id)) return undefined;
  return { started: stored.started ?? false, ready: stored.ready };
}

function withoutStartup(container: Container): Container {
  const { startupProbe: _asked, ...rest } = container;
  return rest;
}

/** Undefined when the container does not run. */
export function probeTarget(
  state: PodState,
  { container }: PodContainer,
  parts: PodParts,
): ProbeTarget | undefined {
  const status = state.containers.get(container.name)?.current?.status;
  if (!status || status.state === "exited") return undefined;
  return {
    pod: state.pod,
    container,
    containerId: status.id,
    podIp: state.podIp ?? parts.node.nodeIp,
    startedAtMs: status.startedAtMs ?? status.createdAtMs,
  };
}

function applyReport(
  state: PodState,
  { item, report, parts }: { item: PodContainer; report: ProbeReport; parts: PodParts },
): void {
  const { container } = item;
  const seen = containerState(state, container.name);
  const { probe, verdict, told } = report;
  // A container that is on its way out is asked for its readiness only.
  if (state.pod.metadata?.deletionTimestamp !== undefined && probe !== "readiness") return;
  if (told) {
    const { reason, word } = EVENTS[told.result];
    parts.events.record({
      about: referenceTo(state.pod),
      type: "Warning",
      reason,
      message: `${probe[0]?.toUpperCase()}${probe.slice(1)} probe ${word}: ${told.message}`,
      fieldPath: fieldPathOf(item),
    });
  }
  if (verdict === undefined) return;
  const healthy = verdict === "healthy";
  const { health } = seen;
  if (probe === "readiness") {
    seen.health = { ...health, ready: healthy };
  } else if (healthy) {
    if (probe === "startup") {
      seen.health = { ...health, started: true, ready: !container.readinessProbe };
    }
  } else {
    const settings = probe === "startup" ? container.startupProbe : container.livenessProbe;
    const message = `failed ${probe} probe`;
    seen.health = {
      ...health,
      failed: { reason: "Unhealthy", message, ...graceOf(settings) },
    };
  }
}

function graceOf(probe: Probe | undefined): { graceMs?: number } {
  const seconds = probe?.terminationGracePeriodSeconds;
  return seconds === undefined ? {} : { graceMs: seconds * 1000 };
}

import { isConflict, isNotFound, StatusError } from "../../api/errors.ts";
import { PODS } from "../../api/generated/resources.ts";
import type { Pod, PodCondition, PodStatus } from "../../api/generated/types/core-v1.ts";
import type { Client } from "../../client/client.ts";
import { type BackoffPolicy, backoffDelayMs } from "../../lib/backoff.ts";
import { type Clock, sleep, type Timer } from "../../lib/clock.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import type { Logger } from "../../lib/logger.ts";
import type { AgentMetrics } from "../metrics/contract.ts";
import { identityOf } from "./pod-containers.ts";
import { messageOf } from "./pod-failure.ts";
import type { AgentPodStatus } from "./pod-status.ts";

const RETRY: BackoffPolicy = { baseMs: 200, maxMs: 10_000 };

/** Writes one pod's status: always the newest, one request at a time. */
export interface StatusWriter extends Disposable {
  /** Writes after at most so long; with 0 at once, as far as no write is under way. */
  publish(pod: Pod, status: AgentPodStatus, withinMs: number): void;
  /** Resolves when the last published status is in the API, or cannot be any more. */
  settled(): Promise<void>;
}

/** What a writer needs; one writer per pod. */
export interface StatusWriterDeps {
  client: Client;
  clock: Clock;
  logger: Logger;
  metrics: AgentMetrics;
  /** Told of the pod as each write left it. */
  onWritten: (pod: Pod) => void;
}

const FIELDS = [
  "phase",
  "conditions",
  "reason",
  "message",
  "hostIP",
  "hostIPs",
  "podIP",
  "podIPs",
  "startTime",
  "qosClass",
  "resize",
  "initContainerStatuses",
  "containerStatuses",
  "ephemeralContainerStatuses",
] as const satisfies readonly (keyof AgentPodStatus)[];

/** The part of a status that differs from what is stored; null removes a field. */
export function statusDifference(stored: PodStatus, wanted: AgentPodStatus): object | undefined {
  const difference: Record<string, unknown> = {};
  for (const field of FIELDS) {
    if (wanted[field] === undefined) {
      const removable = field === "reason" || field === "message" || field === "resize";
      if (removable && stored[field] !== undefined) difference[field] = null;
    } else if (field === "conditions") {
      const conditions = changedConditions(stored.conditions ?? [], wanted.conditions ?? []);
      if (conditions) difference[field] = conditions;
    } else if (field === "podIPs" || field === "hostIPs") {
      const addresses = changedAddresses(stored[field] ?? [], wanted[field] ?? []);
      if (addresses) difference[field] = addresses;
    } else if (!deepEqual(stored[field], wanted[field])) {
      difference[field] = wanted[field];
    }
  }
  return Object.keys(difference).length > 0 ? difference : undefined;
}

/** Addresses merge: a pod that lost its own, by a reboot of the node, keeps no earlier one. */
function changedAddresses(
  stored: readonly { ip?: string }[],
  wanted: readonly { ip?: string }[],
): object[] | undefined {
  if (deepEqual(stored, wanted)) return undefined;
  const gone = stored.filter(({ ip }) => !wanted.some((one) => one.ip === ip));
  return [...wanted, ...gone.map(({ ip }) => ({ $patch: "delete", ip }))];
}

/** Conditions merge by type and field: what a condition loses has to be taken away by name. */
function changedConditions(
  stored: readonly PodCondition[],
  wanted: readonly PodCondition[],
): object[] | undefined {
  let changed = false;
  const patch = wanted.map((condition) => {
    const old = stored.find(({ type }) => type === condition.type);
    if (!deepEqual(old, condition)) changed = true;
    return {
      ...condition,
      ...(old?.reason && !condition.reason ? { reason: null } : {}),
      ...(old?.message && !condition.message ? { message: null } : {}),
    };
  });
  const gone = stored.filter(
    ({ type }) => OWN_CONDITIONS.includes(type) && !wanted.some((one) => one.type === type),
  );
  if (!changed && gone.length === 0) return undefined;
  return [...patch, ...gone.map(({ type }) => ({ $patch: "delete", type }))];
}

/** What no one but the agent keeps, if it is the scheduler that says the first word of one. */
const OWN_CONDITIONS: readonly string[] = [
  "PodScheduled",
  "Ready",
  "Initialized",
  "ContainersReady",
  "PodReadyToStartContainers",
];

/** The pod is gone, and another one has its name. */
function isOfAnother(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  return error.status.details?.causes?.some(({ field }) => field === "metadata.uid") ?? false;
}

/** Nothing is queued but the newest status; a failed write is tried again until it is outdated. */
export function createStatusWriter(deps: StatusWriterDeps): StatusWriter {
  const { client, clock, logger, metrics, onWritten } = deps;
  const stop = new AbortController();
  let wanted: { pod: Pod; status: AgentPodStatus } | undefined;
  /** Since then (monotonic) something is known that the API does not have. */
  let untoldMs: number | undefined;
  let stored: PodStatus | undefined;
  let writing: Promise<void> | undefined;
  let calm: { timer: Timer; untilMs: number } | undefined;
  /** What was written last, and which version of the pod came of it. */
  let done: { status: AgentPodStatus; version: string | undefined } | undefined;

  const write = async () => {
    for (let attempt = 1; wanted && !stop.signal.aborted; attempt++) {
      const { pod, status } = wanted;
      wanted = undefined;
      const difference = statusDifference(stored ?? {}, status);
      if (!difference) {
        untoldMs = undefined;
        continue;
      }
      const { name, namespace, uid } = identityOf(pod);
      try {
        const body = { metadata: { uid }, status: difference };
        const options = { type: "strategic", subresource: "status" } as const;
        const written = await client.for(PODS).patch({ name, namespace }, body, options);
        stored = written.status ?? {};
        done = { status, version: written.metadata?.resourceVersion };
        attempt = 0;
        if (untoldMs !== undefined && !wanted) {
          const seconds = (clock.monotonicMs() - untoldMs) / 1000;
          metrics.observe("pod_status_sync_duration_seconds", seconds);
          untoldMs = undefined;
        }
        onWritten(written);
      } catch (error) {
        if (isNotFound(error) || isConflict(error) || isOfAnother(error)) return;
        logger.warn("cannot write pod status", { pod: name, error: messageOf(error) });
        await sleep(clock, backoffDelayMs(RETRY, attempt), stop.signal);
        wanted ??= { pod, status };
      }
    }
  };

  /** What was to wait longer waits no more. */
  const beginWithin = (ms: number) => {
    const untilMs = clock.monotonicMs() + ms;
    if (calm && calm.untilMs <= untilMs) return;
    calm?.timer.cancel();
    calm = { timer: clock.setTimer(ms, begin), untilMs };
  };

  const begin = () => {
    calm?.timer.cancel();
    calm = undefined;
    writing ??= write().finally(() => {
      writing = undefined;
      if (wanted && !stop.signal.aborted) begin();
    });
  };

  return {
    publish(pod, status, withinMs) {
      if (!writing) stored = pod.status ?? {};
      // A server that stores something else than it was sent must not be asked for ever.
      const same = done?.version !== undefined && done.version === pod.metadata?.resourceVersion;
      if (same && deepEqual(done?.status, status)) return;
      // What may wait is compared when its time has come: mostly another one follows until then.
      if (withinMs === 0 && !statusDifference(stored ?? {}, status)) {
        wanted = undefined;
        return;
      }
      untoldMs ??= clock.monotonicMs();
      wanted = { pod, status };
      if (withinMs === 0) begin();
      else beginWithin(withinMs);
    },
    async settled() {
      if (calm) begin();
      await writing;
    },
    [Symbol.dispose]() {
      stop.abort();
      calm?.timer.cancel();
    },
  };
}

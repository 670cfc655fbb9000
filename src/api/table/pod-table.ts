import type { ContainerStatus, Pod } from "../generated/types/core-v1.ts";
import {
  ageOf,
  type CellContext,
  columnsOf,
  NONE,
  nameOf,
  type RowCondition,
  since,
  type TableKind,
} from "./table-kind.ts";

/** What the columns of a pod say. */
interface PodSummary {
  ready: number;
  total: number;
  status: string;
  restarts: number;
  lastRestart: string;
}

const COMPLETED: Readonly<Record<string, string>> = {
  Succeeded: "The pod has completed successfully.",
  Failed: "The pod failed.",
};

/** Restarts of some containers, and when the last one was. */
class Restarts {
  count = 0;
  last = "";

  add({ restartCount, lastState }: ContainerStatus): void {
    this.count += restartCount ?? 0;
    const finishedAt = lastState?.terminated?.finishedAt ?? "";
    if (finishedAt > this.last) this.last = finishedAt;
  }
}

/** The one-word state that users know a pod by, and the counts beside it. */
export function summarizePod(pod: Pod): PodSummary {
  const { spec = { containers: [] }, status = {} } = pod;
  const conditions = status.conditions ?? [];
  const holds = (type: string) =>
    conditions.some((condition) => condition.type === type && condition.status === "True");
  const gated = conditions.some(
    ({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated",
  );
  const sidecars = new Set(
    (spec.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy === "Always")
      .map(({ name }) => name),
  );
  const init = summarizeInit(pod, sidecars);
  let text = gated ? "SchedulingGated" : status.reason || status.phase || "";
  let { ready, restarts } = init;
  if (init.text !== undefined) text = init.text;
  if (init.text === undefined || holds("Initialized")) {
    restarts = init.sidecarRestarts;
    const main = summarizeContainers(status.containerStatuses ?? [], restarts);
    text = main.text ?? text;
    ready += main.ready;
    if (text === "Completed" && main.running) text = holds("Ready") ? "Running" : "NotReady";
  }
  if (pod.metadata?.deletionTimestamp) {
    const ended = status.phase === "Succeeded" || status.phase === "Failed";
    if (status.reason === "NodeLost") text = "Unknown";
    else if (!ended) text = "Terminating";
  }
  return {
    ready,
    total: (spec.containers ?? []).length + sidecars.size,
    status: text,
    restarts: restarts.count,
    lastRestart: restarts.last,
  };
}

/** `text` is set while an init container holds the pod up. */
function summarizeInit(pod: Pod, sidecars: ReadonlySet<string>) {
  const restarts = new Restarts();
  const sidecarRestarts = new Restarts();
  let ready = 0;
  let text: string | undefined;
  for (const [at, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = sidecars.has(container.name);
    restarts.add(container);
    if (sidecar) sidecarRestarts.add(container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated && terminated.exitCode === 0) continue;
    if (sidecar && container.started) {
      if (container.ready) ready++;
      continue;
    }
    if (terminated) text = `Init:${terminated.reason || exitText(terminated)}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") {
      text = `Init:${waiting.reason}`;
    } else text = `Init:${at}/${(pod.spec?.initContainers ?? []).length}`;
    break;
  }
  return { text, ready, restarts, sidecarRestarts };
}

function summarizeContainers(containers: readonly ContainerStatus[], restarts: Restarts) {
  let text: string | undefined;
  let ready = 0;
  for (const container of containers.toReversed()) {
    restarts.add(container);
    const { waiting, terminated, running } = container.state ?? {};
    if (waiting?.reason) text = waiting.reason;
    else if (terminated) text = terminated.reason || exitText(terminated);
    else if (container.ready && running) ready++;
  }
  return { text, ready, running: ready > 0 };
}

function exitText({ signal, exitCode }: { signal?: number; exitCode: number }): string {
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

function restartsCell({ restarts, lastRestart }: PodSummary, context: CellContext): string {
  if (restarts === 0 || lastRestart === "") return String(restarts);
  return `${restarts} (${since(lastRestart, context)} ago)`;
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return NONE;
  const open = gates.filter(({ conditionType }) =>
    pod.status?.conditions?.some(({ type, status }) => type === conditionType && status === "True"),
  );
  return `${open.length}/${gates.length}`;
}

/** Rows of pods. */
export const POD_TABLE: TableKind<Pod> = {
  columns: columnsOf(
    "Name",
    "Ready",
    "Status",
    "Restarts",
    "Age",
    "IP*",
    "Node*",
    "Nominated Node*",
    "Readiness Gates*",
  ),
  cells(pod, context) {
    const summary = summarizePod(pod);
    return [
      nameOf(pod),
      `${summary.ready}/${summary.total}`,
      summary.status,
      restartsCell(summary, context),
      ageOf(pod, context),
      pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || NONE,
      pod.spec?.nodeName || NONE,
      pod.status?.nominatedNodeName || NONE,
      readinessGates(pod),
    ];
  },
  conditions(pod): RowCondition[] {
    const reason = pod.status?.phase ?? "";
    const message = Object.hasOwn(COMPLETED, reason) ? COMPLETED[reason] : undefined;
    return message ? [{ type: "Completed", status: "True", reason, message }] : [];
  },
};

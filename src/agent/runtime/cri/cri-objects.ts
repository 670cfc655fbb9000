import type * as cri from "../../../format/cri/generated.ts";
import type {
  ContainerResources,
  ContainerSpec,
  ContainerStatus,
  SandboxSpec,
} from "../contract.ts";

/** Numbers of the interface's enumerations. Source: k8s.io/cri-api, api.proto. */
export const CRI = {
  sandbox: { ready: 0, notReady: 1 },
  container: { created: 0, running: 1, exited: 2, unknown: 3 },
  namespace: { pod: 0, container: 1, node: 2, target: 3 },
  profile: { runtimeDefault: 0, unconfined: 1, localhost: 2 },
  propagation: { private: 0, hostToContainer: 1, bidirectional: 2 },
} as const;

/**
 * What the agent must know again after a restart is kept by the container runtime, in labels and
 * annotations: so there is no second record that could differ.
 */
const KEYS = {
  node: "nephos.io/node",
  sandbox: "nephos.io/sandbox",
  container: "nephos.io/container",
} as const;

/** What annotations keep of a container beside its status. */
export interface KeptContainer
  extends Pick<ContainerStatus, "id" | "sandboxId" | "imageReference" | "imageId" | "imageDigest"> {
  tty: boolean;
  stdin: boolean;
  /** With which the runtime stops it. */
  stopSignal: string;
  /** What it runs, for the words of a failure. */
  command: string;
  /** Limits that the interface has no word for. */
  limits: Pick<ContainerResources, "pidsMax" | "hugePages">;
}

/** Selects what this node made, of all that the runtime has. */
export function ofNode(node: string): Record<string, string> {
  return { [KEYS.node]: node };
}

/** Names by which tools like crictl know a pod. */
function podLabels({ podName, podNamespace, id }: SandboxSpec): Record<string, string> {
  return {
    "io.kubernetes.pod.name": podName,
    "io.kubernetes.pod.namespace": podNamespace,
    "io.kubernetes.pod.uid": id,
  };
}

/** Labels and annotations of an object. */
export interface Marks {
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** Those of a sandbox. */
export function sandboxMarks(spec: SandboxSpec, node: string): Marks {
  return {
    labels: { ...podLabels(spec), ...ofNode(node) },
    annotations: { [KEYS.sandbox]: JSON.stringify(spec) },
  };
}

/** Those of a container. */
export function containerMarks(
  { spec, sandbox }: { spec: ContainerSpec; sandbox: SandboxSpec },
  node: string,
): Marks {
  const { id, sandboxId, name, imageReference, image, tty = false, stdin = false } = spec;
  const { pidsMax, hugePages } = spec.resources;
  const imageDigest = image.repoDigests?.[0];
  const kept: KeptContainer = {
    id,
    sandboxId,
    imageReference,
    imageId: image.id,
    tty,
    stdin,
    ...(imageDigest && { imageDigest }),
    stopSignal: image.config.stopSignal ?? "SIGTERM",
    command: spec.command[0] ?? "",
    limits: {
      ...(pidsMax !== undefined && { pidsMax }),
      ...(hugePages && { hugePages }),
    },
  };
  return {
    labels: { ...podLabels(sandbox), "io.kubernetes.container.name": name, ...ofNode(node) },
    annotations: { [KEYS.container]: JSON.stringify(kept) },
  };
}

/** The specification that a sandbox was made from; undefined for somebody else's. */
export function specOf(annotations: Record<string, string>): SandboxSpec | undefined {
  return parsed<SandboxSpec>(annotations[KEYS.sandbox]);
}

/** What was kept of a container; undefined for somebody else's. */
export function keptOf(annotations: Record<string, string>): KeptContainer | undefined {
  return parsed<KeptContainer>(annotations[KEYS.container]);
}

function parsed<T>(text: string | undefined): T | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

const NANOSECONDS = 1e6;
const UNKNOWN_EXIT_CODE = 137;

/** The status of a container in the contract's terms; times of 0 are not known. */
export function statusOf(
  found: cri.ContainerStatus,
  { id, sandboxId, imageReference, imageId, imageDigest }: KeptContainer,
): ContainerStatus {
  const { metadata, logPath, state } = found;
  const times = timesOf(found);
  const base = {
    id,
    sandboxId,
    name: metadata?.name ?? "",
    attempt: metadata?.attempt ?? 0,
    imageReference,
    imageId,
    ...(imageDigest && { imageDigest }),
    logPath,
  };
  if (state === CRI.container.created) {
    return { ...base, state: "created", createdAtMs: times.createdAtMs };
  }
  if (state === CRI.container.running) {
    const { finishedAtMs: _, ...begun } = times;
    return { ...base, state: "running", ...begun };
  }
  const ended = { ...base, state: "exited" as const, ...times };
  if (state !== CRI.container.exited) {
    const lost = "The container runtime does not know how it ended";
    return { ...ended, exitCode: UNKNOWN_EXIT_CODE, lost };
  }
  const { exitCode, reason } = found;
  return { ...ended, exitCode, ...(reason === "OOMKilled" && { oomKilled: true }) };
}

function timesOf({ createdAt, startedAt, finishedAt }: cri.ContainerStatus) {
  const milliseconds = (nanoseconds: number) => Math.round(nanoseconds / NANOSECONDS);
  return {
    createdAtMs: milliseconds(createdAt),
    ...(startedAt > 0 && { startedAtMs: milliseconds(startedAt) }),
    // containerd notes the start when it hears of it: a short process may have ended before.
    ...(finishedAt > 0 && { finishedAtMs: milliseconds(Math.max(startedAt, finishedAt)) }),
  };
}

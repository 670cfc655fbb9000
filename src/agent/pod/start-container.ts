import { createHash } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CONFIG_MAPS, SECRETS } from "../../api/generated/resources.ts";
import type { ConfigMap, EphemeralContainer, Secret } from "../../api/generated/types/core-v1.ts";
import { MountHungError } from "../far-files.ts";
import { FieldReferenceError } from "../field-reference.ts";
import { followObject } from "../followed-object.ts";
import { type ContainerSpec, type ContainerStatus, RuntimeError } from "../runtime/contract.ts";
import { containerSpec } from "./container-spec.ts";
import { afterRestart } from "./crash-backoff.ts";
import { ConfigurationError, type EnvironmentSources, podEnvironment } from "./environment.ts";
import { beginHealth } from "./health.ts";
import { fieldPathOf, identityOf, type PodContainer, referenceTo } from "./pod-containers.ts";
import type { PodParts, WorkerHooks } from "./pod-context.ts";
import { linkLog, makeLogs } from "./pod-logs.ts";
import { type FailureCause, messageOf, nextFailure } from "./pod-failure.ts";
import {
  attemptDirectory,
  containerState,
  logPathOf,
  type PodState,
  terminationLogOf,
} from "./pod-state.ts";
import { type BoundPaths, hasFarVolumes, openFarVolumes, openSubPath } from "./volume-paths.ts";

/** Exit code of a container whose command could not be run. */
const EXIT_CANNOT_RUN = 128;
/** As a kubelet's counter names them. */
const TYPES = {
  init: "init_container",
  sidecar: "init_container",
  main: "container",
  ephemeral: "ephemeral_container",
} as const;

/** Starts one attempt of a container; failures are kept in the state. */
export async function startContainer(
  state: PodState,
  { item, attempt }: { item: PodContainer; attempt: number },
  { parts, hooks, creating }: { parts: PodParts; hooks: WorkerHooks; creating: () => void },
): Promise<void> {
  const seen = containerState(state, item.container.name);
  const say = speaker(state, { item, parts });
  const directory = attemptDirectory(state, item.container.name, attempt);
  const fail = (error: unknown) => {
    const cause = creationFailure(error);
    if (error instanceof MountHungError) say("Warning", "FailedMount", cause.message);
    seen.failure = nextFailure(seen.failure, cause, parts.clock.now());
    parts.metrics.count("started_containers_errors_total", TYPES[item.role], cause.reason);
    say("Warning", "Failed", `Error: ${cause.message}`);
  };
  let spec: ContainerSpec;
  try {
    const environment = await environmentOf(state, { item, parts, hooks });
    const place = { container: item.container, environment, directory };
    const bound = hasFarVolumes(state, item)
      ? await openFarVolumes(state, place, parts)
      : undefined;
    spec = specOf(state, { item, attempt, environment, bound, parts });
    if (!seen.pulled) {
      say(
        "Normal",
        "Pulled",
        `Container image "${spec.imageReference}" already present on machine`,
      );
    }
  } catch (error) {
    return fail(error);
  }
  try {
    const created = parts.runtime.createContainer(spec);
    setImmediate(creating);
    await created;
  } catch (error) {
    if (!isCommandError(error)) return fail(error);
    parts.metrics.count("started_containers_errors_total", TYPES[item.role], "RunContainerError");
    say("Warning", "Failed", `Error: ${messageOf(error)}`);
    return enter(
      state,
      { item, spec, status: neverRan(spec, parts.clock.now()) },
      {
        parts,
        hooks,
        cannotRun: messageOf(error),
      },
    );
  }
  say("Normal", "Created", `Created container: ${spec.name}`);
  await run(state, { item, spec }, { parts, hooks });
}
function speaker(
  state: PodState,
  { item, parts }: { item: PodContainer; parts: PodParts },
): (type: "Normal" | "Warning", reason: string, message: string) => void {
  const about = referenceTo(state.pod);
  const fieldPath = fieldPathOf(item);
  return (type, reason, message) =>
    parts.events.record({ about, type, reason, message, fieldPath });
}

/** The command, not the container, is at fault: it counts as an attempt that failed at once. */
function isCommandError(error: unknown): boolean {
  return (
    error instanceof RuntimeError &&
    (error.code === "command-not-found" || error.code === "permission-denied")
  );
}

async function run(
  state: PodState,
  { item, spec }: { item: PodContainer; spec: ContainerSpec },
  { parts, hooks }: { parts: PodParts; hooks: WorkerHooks },
): Promise<void> {
  const say = speaker(state, { item, parts });
  try {
    const status = await parts.runtime.startContainer(spec.id);
    linkLog(state, { container: spec.name, id: spec.id, logPath: spec.logPath }, parts);
    parts.metrics.count("started_containers_total", TYPES[item.role]);
    say("Normal", "Started", `Started container ${spec.name}`);
    enter(state, { item, spec, status }, { parts, hooks });
  } catch (error) {
    const cannotRun = messageOf(error);
    parts.metrics.count("started_containers_errors_total", TYPES[item.role], "RunContainerError");
    say("Warning", "Failed", `Error: ${cannotRun}`);
    await parts.runtime.removeContainer(spec.id);
    const status = neverRan(spec, parts.clock.now());
    enter(state, { item, spec, status }, { parts, hooks, cannotRun });
  }
}

/** The new attempt takes the place of the one before. */
function enter(
  state: PodState,
  { item, spec, status }: { item: PodContainer; spec: ContainerSpec; status: ContainerStatus },
  { parts, hooks, cannotRun }: { parts: PodParts; hooks: WorkerHooks; cannotRun?: string },
): void {
  const { clock, runtime } = parts;
  const seen = containerState(state, spec.name);
  const before = seen.current;
  if (before) {
    const finishedAtMs = before.status.finishedAtMs ?? clock.now();
    const crash = seen.isReplaced ? undefined : seen.crash;
    seen.crash = afterRestart(crash, { finishedAtMs, nowMs: clock.now() });
    if (seen.previous) seen.stale.push(seen.previous.status.id);
    seen.previous = before;
  }
  seen.failure = undefined;
  seen.pulled = false;
  seen.preStopped = false;
  seen.isReplaced = false;
  seen.isOfLostSandbox = false;
  if (item.container.imagePullPolicy === "Always") seen.image = undefined;
  seen.current = { status, cannotRun, resources: item.container.resources };
  if (cannotRun !== undefined) return;
  // The exit may have been reported before this attempt was known here.
  const newest = runtime.status(spec.id) ?? status;
  if (newest.state === "exited") {
    seen.current = { ...seen.current, status: { ...newest, state: "running" } };
    return hooks.exited(newest);
  }
  beginHealth(state, item, { parts, hooks });
}

function neverRan(spec: ContainerSpec, nowMs: number): ContainerStatus {
  return {
    id: spec.id,
    sandboxId: spec.sandboxId,
    name: spec.name,
    attempt: spec.attempt,
    state: "exited",
    imageReference: spec.imageReference,
    imageId: spec.image.id,
    logPath: spec.logPath,
    createdAtMs: nowMs,
    startedAtMs: nowMs,
    finishedAtMs: nowMs,
    exitCode: EXIT_CANNOT_RUN,
  };
}

function creationFailure(error: unknown): FailureCause {
  const message = messageOf(error);
  const configuration =
    error instanceof ConfigurationError ||
    error instanceof FieldReferenceError ||
    (error instanceof RuntimeError && error.code === "runs-as-root");
  return { reason: configuration ? "CreateContainerConfigError" : "CreateContainerError", message };
}

function specOf(
  state: PodState,
  options: {
    item: PodContainer;
    attempt: number;
    environment: ReadonlyMap<string, string>;
    /** Paths in volumes that are bound already. */
    bound: BoundPaths | undefined;
    parts: PodParts;
  },
): ContainerSpec {
  const { item, attempt, environment, bound, parts } = options;
  const { container } = item;
  const { image } = containerState(state, container.name);
  if (!image) throw new ConfigurationError(`image "${container.image}" is not present`);
  const directory = attemptDirectory(state, container.name, attempt);
  const terminationMessageFile = terminationLogOf(state, container.name, attempt);
  // Any user of the container may write its message; given at creation, a umask narrows the mode.
  writeFileSync(terminationMessageFile, "");
  chmodSync(terminationMessageFile, 0o666);
  makeLogs(state, parts);
  const logPath = logPathOf(state.logDirectory, container.name, attempt);
  const etc = state.etcDirectory;
  const targetId = targetOf(state, container);
  return containerSpec(state.pod, {
    ...(targetId !== undefined ? { targetId } : {}),
    container,
    id: containerIdFor(identityOf(state.pod).uid, { name: container.name, attempt }),
    attempt,
    image,
    environment,
    hostname: state.names?.hostname ?? "",
    volumes: state.prepared,
    makesReadOnlyBelow: state.makesReadOnlyBelow ?? false,
    subPath: (mount, index) =>
      bound?.get(index) ?? openSubPath(state, { mount, index }, { environment, directory }),
    files: {
      hosts: path.join(etc, "hosts"),
      resolvConf: path.join(etc, "resolv.conf"),
      hostname: path.join(etc, "hostname"),
    },
    terminationMessageFile,
    logPath,
    nodeMemoryBytes: parts.node.memoryBytes,
    allocatable: parts.node.allocatable,
    rules: parts.node.rules,
    cpus: parts.cpus.cpusOf(state.pod, container.name),
    seccompDirectory: parts.directories.seccomp,
  });
}

/** The container that `kubectl debug --target` names. @throws ConfigurationError */
function targetOf(state: PodState, container: EphemeralContainer): string | undefined {
  const { targetContainerName: name } = container;
  if (!name) return undefined;
  const status = state.containers.get(name)?.current?.status;
  if (status?.state === "running") return status.id;
  throw new ConfigurationError(`target container "${name}" of "${container.name}" is not running`);
}

/**
 * 64 hexadecimal digits, as log shippers expect it in names of files. The same attempt always has
 * the same one: a start that a crash cut short is found again.
 */
export function containerIdFor(
  podUid: string,
  { name, attempt }: { name: string; attempt: number },
): string {
  return createHash("sha256").update(`${podUid}/${name}/${attempt}`).digest("hex");
}

async function environmentOf(
  state: PodState,
  { item, parts, hooks }: { item: PodContainer; parts: PodParts; hooks: WorkerHooks },
): Promise<ReadonlyMap<string, string>> {
  const { container } = item;
  const pending: Promise<void>[] = [];
  if (!parts.services.hasSynced) pending.push(parts.services.synced);
  const follow = (kind: "ConfigMap" | "Secret", name: string | undefined) => {
    const key = `${kind}/${name}`;
    let followed = state.followed.get(key);
    if (!followed && name) {
      const namespace = identityOf(state.pod).namespace;
      const onChange = () => {
        retryFailed(state);
        hooks.changed();
      };
      const at = { namespace, name, onChange };
      followed =
        kind === "ConfigMap"
          ? followObject(parts.informers, { ...at, resource: CONFIG_MAPS })
          : followObject(parts.informers, { ...at, resource: SECRETS });
      state.followed.set(key, followed);
    }
    if (followed) pending.push(followed.known);
  };
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef) follow("ConfigMap", configMapRef.name);
    if (secretRef) follow("Secret", secretRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef) follow("ConfigMap", valueFrom.configMapKeyRef.name);
    if (valueFrom?.secretKeyRef) follow("Secret", valueFrom.secretKeyRef.name);
  }
  if (pending.length > 0) await Promise.all(pending);
  return podEnvironment(state.pod, { container, sources: sourcesOf(state, parts) });
}

/** A referenced object came or changed: what failed for want of it is tried again at once. */
function retryFailed(state: PodState): void {
  for (const seen of state.containers.values()) {
    if (seen.failure?.reason !== "CreateContainerConfigError") continue;
    seen.failure = { ...seen.failure, retryAtMs: 0 };
  }
}

function sourcesOf(state: PodState, parts: PodParts): EnvironmentSources {
  const { namespace } = identityOf(state.pod);
  const valueOf = (key: string) => state.followed.get(key)?.value;
  const master = parts.services.get("default", "kubernetes");
  const own = parts.services.list(namespace);
  return {
    configMap: (name) => (valueOf(`ConfigMap/${name}`) as ConfigMap | undefined)?.data,
    secret(name) {
      const secret = valueOf(`Secret/${name}`) as Secret | undefined;
      if (!secret) return undefined;
      const decoded = Object.entries(secret.data ?? {}).map(([key, value]) => [
        key,
        Buffer.from(value, "base64").toString("utf8"),
      ]);
      return Object.fromEntries(decoded) as Record<string, string>;
    },
    services: master && namespace !== "default" ? [...own, master] : own,
    facts: {
      hostIp: parts.node.nodeIp,
      allocatable: parts.node.allocatable,
      ...(state.podIp ? { podIp: state.podIp } : {}),
    },
  };
}

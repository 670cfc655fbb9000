import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { RUNTIME_CLASSES } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { unmountAside, unmountBelowAside } from "../../sys/mount.ts";
import type { HostPort, PodAttachment } from "../network/contract.ts";
import type { SandboxSpec, UserNamespace } from "../runtime/contract.ts";
import { usedVolumes } from "../used-volumes.ts";
import { VolumeError } from "../volume/contract.ts";
import { hasOwnKernel, refuseUnconfined, tellOfLimits } from "./own-kernel.ts";
import { identityOf, referenceTo } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";
import { hostsFile, podHostname, resolvConf } from "./pod-dns.ts";
import { messageOf, nextPreparationFailure } from "./pod-failure.ts";
import { podResources, qosClassOf, type ResourceRules } from "./pod-resources.ts";
import type { PodState } from "./pod-state.ts";
import { makesReadOnlyBelow } from "./read-only-mounts.ts";
import { SUB_PATHS } from "./sub-path.ts";
import { sysctlName } from "./sysctls.ts";

/** Gives the pod its network and its sandbox; a failure is kept in the state. */
export async function createSandbox(state: PodState, parts: PodParts): Promise<void> {
  const { pod } = state;
  try {
    const handler = await handlerOf(pod, parts);
    refuseUnconfined(pod, { handler, parts });
    state.makesReadOnlyBelow = makesReadOnlyBelow(pod, { handler, runtime: parts.runtime });
    const users = await usersOf(pod, { handler, parts });
    const attachment = pod.spec?.hostNetwork
      ? undefined
      : await attach(pod, { handler, users, parts });
    state.podIp = attachment?.ip ?? parts.node.nodeIp;
    writePodFiles(state, parts);
    const hostname = state.names?.hostname ?? "";
    const spec = sandboxSpec(pod, {
      hostname,
      attachment,
      handler,
      users,
      rules: parts.node.rules,
    });
    await parts.runtime.createSandbox(spec);
    parts.metrics.count("started_pods_total");
    state.podLimits = spec.resources;
    state.sandbox = { ready: true };
    tellOfLimits(pod, { handler, parts });
  } catch (error) {
    const message = `Failed to create pod sandbox: ${messageOf(error)}`;
    const cause = { reason: "FailedCreatePodSandBox", message };
    const { failure } = state.sandbox;
    parts.metrics.count("started_pods_errors_total");
    state.sandbox = {
      ready: false,
      failure: nextPreparationFailure(failure, cause, parts.clock.now()),
    };
    parts.events.record({ about: referenceTo(pod), type: "Warning", ...cause });
  }
}

/** The handler of the pod's runtime class; undefined for a pod that names none. */
async function handlerOf({ spec }: Pod, { client }: PodParts): Promise<string | undefined> {
  const name = spec?.runtimeClassName;
  return name ? (await client.for(RUNTIME_CLASSES).get({ name })).handler : undefined;
}

/** User ids of the pod's own, if it wants them. */
async function usersOf(
  pod: Pod,
  { handler, parts }: { handler: string | undefined; parts: PodParts },
): Promise<UserNamespace | undefined> {
  if (pod.spec?.hostUsers !== false) return undefined;
  const { uid: id } = identityOf(pod);
  return await parts.runtime.prepareUsers({ id, ...(handler && { handler }) });
}

function attach(
  pod: Pod,
  {
    handler,
    users,
    parts,
  }: { handler: string | undefined; users: UserNamespace | undefined; parts: PodParts },
): ReturnType<PodParts["network"]["attach"]> {
  const { uid, name, namespace } = identityOf(pod);
  return parts.network.attach({
    podUid: uid,
    podName: name,
    podNamespace: namespace,
    hostPorts: hostPortsOf(pod),
    ...(users && { namespacePath: users.networkNamespacePath }),
    asksForNeighbours: hasOwnKernel(handler, parts),
  });
}

/** Of containers that run as long as the pod does, as the scheduler counts them. */
function hostPortsOf({ spec }: Pod): HostPort[] {
  const result: HostPort[] = [];
  const sidecars = (spec?.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  for (const container of [...sidecars, ...(spec?.containers ?? [])]) {
    for (const { hostPort, containerPort, hostIP, protocol = "TCP" } of container.ports ?? []) {
      if (!hostPort) continue;
      result.push({ hostPort, containerPort, protocol, ...(hostIP ? { hostIp: hostIP } : {}) });
    }
  }
  return result;
}

/** The files of /etc that all containers of a pod share; the address is known by now. */
export function writePodFiles(state: PodState, { node, confine, events }: PodParts): void {
  const { pod, podIp } = state;
  const names = podHostname(pod, {
    clusterDomain: node.clusterDomain,
    nodeHostname: node.hostname,
  });
  state.names = names;
  const directory = state.etcDirectory;
  confine(directory);
  const hosts = hostsFile(pod, { podIp, names, nodeHosts: node.hosts });
  writeFileSync(path.join(directory, "hosts"), hosts);
  writeFileSync(path.join(directory, "hostname"), `${names.hostname}\n`);
  const facts = { ...node, nodeResolvConf: node.resolvConf };
  const about = referenceTo(pod);
  const resolver = resolvConf(pod, facts, (message) =>
    events.record({ about, type: "Warning", reason: "DNSConfigForming", message }),
  );
  writeFileSync(path.join(directory, "resolv.conf"), resolver);
}

function sandboxSpec(
  pod: Pod,
  options: {
    hostname: string;
    attachment: PodAttachment | undefined;
    handler: string | undefined;
    users: UserNamespace | undefined;
    rules: ResourceRules;
  },
): SandboxSpec {
  const { uid, name, namespace } = identityOf(pod);
  const { securityContext, shareProcessNamespace, hostPID, hostIPC } = pod.spec ?? {};
  const { attachment } = options;
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const privileged = all.some((container) => container.securityContext?.privileged);
  const sysctls = (securityContext?.sysctls ?? []).map((entry) => [
    sysctlName(entry.name),
    entry.value,
  ]);
  return {
    id: uid,
    podName: name,
    podNamespace: namespace,
    hostname: options.hostname,
    ...(attachment && {
      networkNamespacePath: attachment.networkNamespacePath,
      podIp: attachment.ip,
    }),
    ...(privileged && { privileged }),
    qosClass: qosClassOf(pod),
    ...(options.handler ? { handler: options.handler } : {}),
    ...(options.users ? { users: options.users } : {}),
    resources: podResources(pod, options.rules),
    ...(sysctls.length > 0 ? { sysctls: Object.fromEntries(sysctls) } : {}),
    shareProcessNamespace: shareProcessNamespace ?? false,
    hostPid: hostPID ?? false,
    hostIpc: hostIPC ?? false,
  };
}

/** A container that came later may be the first one to mount a volume. */
export function lacksVolume({ pod, prepared }: PodState): boolean {
  return usedVolumes(pod).some(({ name }) => !prepared.has(name));
}

/** Makes the pod's directory and volumes; a failure is kept in the state and told as an event. */
export async function prepareVolumes(state: PodState, parts: PodParts): Promise<void> {
  const { pod } = state;
  try {
    parts.spread.make(state.directory, 0o755);
    state.prepared = await parts.volumes.prepare(pod, state.directory);
    state.volumes = { ready: !lacksVolume(state) };
  } catch (error) {
    const message = error instanceof VolumeError ? error.message : messageOf(error);
    const cause = { reason: "FailedMount", message };
    const { failure } = state.volumes;
    state.volumes = {
      ready: false,
      failure: nextPreparationFailure(failure, cause, parts.clock.now()),
    };
    parts.events.record({ about: referenceTo(pod), type: "Warning", ...cause });
  }
}

/** Gives everything back to the node; the logs stay while the API has the pod. Idempotent. */
export async function releasePod(state: PodState, parts: PodParts): Promise<void> {
  const { uid } = identityOf(state.pod);
  for (const container of state.containers.values()) container.probes?.[Symbol.dispose]();
  for (const followed of state.followed.values()) followed[Symbol.dispose]();
  state.followed.clear();
  await releaseResources(uid, { directory: state.directory, parts });
  state.sandbox = { ready: false };
  state.volumes = { ready: false };
  state.released = true;
}

/** The same for a pod that is only known by its UID. */
export async function releaseResources(
  uid: string,
  options: { directory: string; parts: PodParts },
): Promise<void> {
  const { directory, parts } = options;
  await parts.runtime.removeSandbox(uid);
  parts.cpus.release(uid);
  const files = path.join(parts.directories.files, uid);
  await Promise.all([
    parts.network.detach(uid),
    parts.volumes.release(uid, directory),
    unmountAside(files),
  ]);
  // One that is left would turn the removal below into one of the user's own files.
  if (hasSubPaths(directory)) await unmountBelowAside(directory);
  parts.discard(directory);
  rmSync(files, { recursive: true, force: true });
}

/** To look through the mounts of a machine with many pods takes longer than this. */
function hasSubPaths(podDirectory: string): boolean {
  const containers = path.join(podDirectory, "containers");
  if (!existsSync(containers)) return false;
  return readdirSync(containers).some((name) =>
    readdirSync(path.join(containers, name)).some((attempt) =>
      existsSync(path.join(containers, name, attempt, SUB_PATHS)),
    ),
  );
}

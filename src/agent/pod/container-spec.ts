import type { Container, Pod, VolumeMount } from "../../api/generated/types/core-v1.ts";
import type { LocalImage } from "../image/contract.ts";
import type { ContainerMount, ContainerSpec } from "../runtime/contract.ts";
import type { PreparedVolume } from "../volume/contract.ts";
import { containerSecurity } from "./container-security.ts";
import { ConfigurationError } from "./environment.ts";
import { expandVariables } from "./expansion.ts";
import { isReadOnlyBelow } from "./read-only-mounts.ts";
import { requireNonRoot } from "./non-root.ts";
import { containerResources, type ResourceRules } from "./pod-resources.ts";

/** Files that the agent writes for every pod and binds into its containers. */
export interface PodFiles {
  hosts: string;
  resolvConf: string;
  hostname: string;
}

/** Everything that a container's specification is made of. */
export interface ContainerSpecInput {
  container: Container;
  id: string;
  attempt: number;
  image: LocalImage;
  /** From `podEnvironment`. */
  environment: ReadonlyMap<string, string>;
  hostname: string;
  volumes: ReadonlyMap<string, PreparedVolume>;
  /** What is below mounts that ask for it can be read-only with them. */
  makesReadOnlyBelow?: boolean;
  /** Host path of the directory or file that a mount with a subPath binds. */
  subPath(mount: VolumeMount, index: number): string;
  files: PodFiles;
  terminationMessageFile: string;
  logPath: string;
  nodeMemoryBytes: number;
  /** `status.allocatable` of the node. */
  allocatable: Readonly<Record<string, string>>;
  rules: ResourceRules;
  /** CPUs that it may use; undefined for all. */
  cpus: string | undefined;
  seccompDirectory: string;
  /** ID of the running container that an ephemeral one is to look into. */
  targetId?: string;
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const DEFAULT_TERMINATION_PATH = "/dev/termination-log";

/** Builds what the runtime needs to know. Pure. @throws ConfigurationError */
export function containerSpec(pod: Pod, input: ContainerSpecInput): ContainerSpec {
  const { container, image, environment } = input;
  requireNonRoot(pod, { container, image: image.config });
  const expand = (text: string) => expandVariables(text, (name) => environment.get(name));
  const command = commandOf(container, image).map(expand);
  if (command.length === 0) throw new ConfigurationError("no command specified");
  const [device] = container.volumeDevices ?? [];
  if (device) {
    const message = `volume "${device.name}" is a block device, which this node cannot provide`;
    throw new ConfigurationError(message);
  }
  return {
    id: input.id,
    sandboxId: pod.metadata?.uid ?? "",
    name: container.name,
    attempt: input.attempt,
    image,
    imageReference: container.image ?? "",
    command,
    environment: environmentOf(input),
    workingDirectory: container.workingDir || image.config.workingDirectory || "/",
    mounts: mountsOf(container, input),
    logPath: input.logPath,
    ...(input.targetId !== undefined ? { sharesProcessesOf: input.targetId } : {}),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    resources: {
      ...containerResources(pod, {
        container,
        nodeMemoryBytes: input.nodeMemoryBytes,
        allocatable: input.allocatable,
        rules: input.rules,
      }),
      ...(input.cpus === undefined ? {} : { cpusetCpus: input.cpus }),
    },
    security: containerSecurity(pod, {
      container,
      image: image.config,
      seccompDirectory: input.seccompDirectory,
      volumeGroups: [...input.volumes.values()].flatMap(({ groupId }) => groupId ?? []),
    }),
  };
}

/** A command in the pod hides the image's command too, arguments alone keep its entry point. */
function commandOf(container: Container, { config }: LocalImage): readonly string[] {
  const { command = [], args = [] } = container;
  if (command.length > 0) return [...command, ...args];
  const entrypoint = config.entrypoint ?? [];
  return [...entrypoint, ...(args.length > 0 ? args : (config.command ?? []))];
}

function environmentOf({ container, image, hostname, environment }: ContainerSpecInput): string[] {
  const result = new Map<string, string>([
    ["PATH", DEFAULT_PATH],
    ["HOSTNAME", hostname],
  ]);
  if (container.tty) result.set("TERM", "xterm");
  for (const entry of image.config.environment ?? []) {
    const at = entry.indexOf("=");
    if (at > 0) result.set(entry.slice(0, at), entry.slice(at + 1));
  }
  for (const [name, value] of environment) result.set(name, value);
  return Array.from(result, ([name, value]) => `${name}=${value}`);
}

function mountsOf(container: Container, input: ContainerSpecInput): ContainerMount[] {
  const { files } = input;
  const wanted = (container.volumeMounts ?? []).map((mount, index) =>
    volumeMount(mount, index, input),
  );
  const taken = new Set(wanted.map(({ containerPath }) => containerPath));
  const added: ContainerMount[] = [
    { hostPath: files.hosts, containerPath: "/etc/hosts", readOnly: false },
    { hostPath: files.resolvConf, containerPath: "/etc/resolv.conf", readOnly: false },
    { hostPath: files.hostname, containerPath: "/etc/hostname", readOnly: false },
    {
      hostPath: input.terminationMessageFile,
      containerPath: container.terminationMessagePath || DEFAULT_TERMINATION_PATH,
      readOnly: false,
    },
  ];
  const own = added.filter(({ containerPath }) => !taken.has(containerPath));
  // A mount inside another one must come after it.
  return [...wanted, ...own].toSorted((a, b) => depth(a) - depth(b));
}

function depth({ containerPath }: ContainerMount): number {
  return containerPath.split("/").filter(Boolean).length;
}

function volumeMount(
  mount: VolumeMount,
  index: number,
  { volumes, subPath, makesReadOnlyBelow = false }: ContainerSpecInput,
): ContainerMount {
  const volume = volumes.get(mount.name);
  if (!volume) throw new ConfigurationError(`volume "${mount.name}" is not prepared`);
  const partial = mount.subPath || mount.subPathExpr;
  return {
    hostPath: partial ? subPath(mount, index) : volume.hostPath,
    containerPath: mount.mountPath.startsWith("/") ? mount.mountPath : `/${mount.mountPath}`,
    readOnly: volume.readOnly || (mount.readOnly ?? false),
    ...(isReadOnlyBelow(mount, makesReadOnlyBelow) && { readOnlyBelow: true }),
    ...(volume.noExec && { noExec: true }),
    propagation: propagationOf(mount),
  };
}

function propagationOf({ mountPropagation }: VolumeMount): "private" | "rslave" | "rshared" {
  if (mountPropagation === "HostToContainer") return "rslave";
  return mountPropagation === "Bidirectional" ? "rshared" : "private";
}

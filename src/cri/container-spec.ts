import { mkdirSync, realpathSync } from "node:fs";
import path from "node:path";
import type { ImageConfig, LocalImage } from "../agent/image/contract.ts";
import type {
  ContainerMount,
  ContainerResources,
  ContainerSpec,
} from "../agent/runtime/contract.ts";
import type * as cri from "../format/cri/generated.ts";
import { MountPropagation, NamespaceMode } from "../format/cri/generated.ts";
import { containerSecurity } from "./container-security.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";
import type { SandboxRecord } from "./record-table.ts";
import { firstIdOf, firstUserOf } from "./user-mapping.ts";

/** What a container's specification is made of, beside its config. */
export interface ContainerSurroundings {
  id: string;
  sandbox: SandboxRecord;
  image: LocalImage;
  hostname: string;
  /** Has the sandbox's `hosts`, `hostname` and `resolv.conf`. */
  filesDirectory: string;
  logPath: string;
  /** Host paths that are prepared already, and may never answer. */
  farPaths: ReadonlySet<string>;
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Translates a config. @throws GrpcError "invalid-argument" for what cannot be */
export function containerSpec(
  config: cri.ContainerConfig,
  of: ContainerSurroundings,
): ContainerSpec {
  const { image } = of;
  const command = commandOf(config, image.config);
  if (command.length === 0) throw new GrpcError("invalid-argument", "no command specified");
  const context = config.linux?.securityContext;
  const targeted = context?.namespaceOptions?.pid === NamespaceMode.TARGET;
  const users = firstUserOf(of.sandbox.config.linux?.securityContext?.namespaceOptions);
  return {
    id: of.id,
    sandboxId: of.sandbox.id,
    name: config.metadata?.name ?? "",
    attempt: config.metadata?.attempt ?? 0,
    image,
    imageReference: config.image?.image ?? "",
    command,
    environment: environmentOf(config, of),
    workingDirectory: config.workingDir || image.config.workingDirectory || "/",
    mounts: mountsOf(config, { ...of, users }),
    devices: devicesOf(config),
    logPath: of.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    resources: containerResources(config.linux?.resources),
    security: containerSecurity(context, image.config),
    ...(targeted && { sharesProcessesOf: context.namespaceOptions?.targetId ?? "" }),
  };
}

function commandOf({ command, args }: cri.ContainerConfig, image: ImageConfig): readonly string[] {
  if (command.length > 0) return [...command, ...args];
  return [...(image.entrypoint ?? []), ...(args.length > 0 ? args : (image.command ?? []))];
}

/** The last of a name wins: the config, then the image, then what is usual. */
function environmentOf(config: cri.ContainerConfig, of: ContainerSurroundings): string[] {
  return [
    `PATH=${DEFAULT_PATH}`,
    `HOSTNAME=${of.sandbox.config.hostname || of.hostname}`,
    ...(of.image.config.environment ?? []),
    ...config.envs.map(({ key, value }) => `${key}=${value}`),
  ];
}

function mountsOf(
  config: cri.ContainerConfig,
  of: Pick<ContainerSurroundings, "filesDirectory" | "farPaths"> & { users: number | undefined },
): ContainerMount[] {
  const { filesDirectory } = of;
  const wanted = config.mounts.map((mount) => mountOf(mount, of));
  const taken = new Set(wanted.map(({ containerPath }) => path.posix.normalize(containerPath)));
  const own = ["hosts", "hostname", "resolv.conf"]
    .map((name) => ({
      hostPath: path.join(filesDirectory, name),
      containerPath: `/etc/${name}`,
      readOnly: config.linux?.securityContext?.readonlyRootfs ?? false,
    }))
    .filter(({ containerPath }) => !taken.has(containerPath));
  return [...own, ...wanted];
}

function mountOf(
  mount: cri.Mount,
  { users, farPaths }: Pick<ContainerSurroundings, "farPaths"> & { users: number | undefined },
): ContainerMount {
  const { PROPAGATION_BIDIRECTIONAL, PROPAGATION_HOST_TO_CONTAINER } = MountPropagation;
  const refuse = (what: string) => {
    const message = `Cannot mount "${mount.containerPath}": ${what}`;
    return new GrpcError("invalid-argument", message);
  };
  if (mount.image?.image) throw refuse("image volumes are not supported by this runtime");
  if (mount.recursiveReadOnly) throw refuse("mounts are read-only without those below them here");
  const { uidMappings, gidMappings } = mount;
  const isMapped = uidMappings.length > 0 || gidMappings.length > 0;
  if (isMapped && firstIdOf(uidMappings, gidMappings) !== users) {
    throw refuse("its user ids are mapped in another way than those of the sandbox");
  }
  return {
    hostPath: farPaths.has(mount.hostPath) ? mount.hostPath : resolved(mount.hostPath),
    containerPath: path.posix.join("/", mount.containerPath),
    readOnly: mount.readonly,
    propagation:
      mount.propagation === PROPAGATION_BIDIRECTIONAL
        ? "rshared"
        : mount.propagation === PROPAGATION_HOST_TO_CONTAINER
          ? "rslave"
          : "private",
    ...(users !== undefined && !isMapped && { keepsOwners: true }),
  };
}

/** What is missing becomes a directory: the kubelet counts on it for volumes of type hostPath. */
function resolved(hostPath: string): string {
  try {
    return realpathSync(hostPath);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT" || !hostPath.startsWith("/")) {
      const message = `Cannot mount "${hostPath}": ${(cause as Error).message}`;
      throw new GrpcError("invalid-argument", message, { cause });
    }
    mkdirSync(hostPath, { recursive: true, mode: 0o755 });
    return realpathSync(hostPath);
  }
}

function devicesOf({ devices }: cri.ContainerConfig): string[] {
  return devices.map(({ hostPath, containerPath }) => {
    if (hostPath === containerPath) return hostPath;
    const message = `Cannot give the device "${hostPath}" another name, "${containerPath}"`;
    throw new GrpcError("invalid-argument", message);
  });
}

/** The CRI writes 2MB and 1GB as the kernel does. */
function hugePagesOf({ hugepageLimits }: cri.LinuxContainerResources): Record<string, number> {
  return Object.fromEntries(hugepageLimits.map(({ pageSize, limit }) => [pageSize, limit]));
}

/** Zero means not specified. */
export function containerResources(
  resources: cri.LinuxContainerResources | undefined,
): ContainerResources {
  if (!resources) return {};
  const { cpuShares, cpuQuota, cpuPeriod, memoryLimitInBytes, oomScoreAdj } = resources;
  const pidsMax = Number(resources.unified["pids.max"] ?? 0);
  return {
    ...(cpuShares && { cpuShares }),
    ...(cpuQuota && { cpuQuotaUs: cpuQuota }),
    ...(cpuPeriod && { cpuPeriodUs: cpuPeriod }),
    ...(memoryLimitInBytes && { memoryLimitBytes: memoryLimitInBytes }),
    ...(pidsMax && { pidsMax }),
    oomScoreAdj,
    ...(resources.cpusetCpus && { cpusetCpus: resources.cpusetCpus }),
    ...(resources.hugepageLimits.length > 0 && { hugePages: hugePagesOf(resources) }),
  };
}

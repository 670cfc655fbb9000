import type { AttachRequest, HostPort } from "../agent/network/contract.ts";
import { sysctlName } from "../agent/pod/sysctls.ts";
import type { RuntimeHandler, SandboxSpec, UserNamespace } from "../agent/runtime/contract.ts";
import type * as cri from "../format/cri/generated.ts";
import { NamespaceMode, Protocol } from "../format/cri/generated.ts";

type Config = cri.PodSandboxConfig;

/** Namespaces as asked for; what is not said is the pod's own. */
export function namespacesOf(config: Config): Pick<cri.NamespaceOption, "network" | "pid" | "ipc"> {
  const { POD } = NamespaceMode;
  return config.linux?.securityContext?.namespaceOptions ?? { network: POD, pid: POD, ipc: POD };
}

/** What the runtime is to make. */
export function sandboxSpec(
  config: Config,
  of: {
    id: string;
    hostname: string;
    networkNamespacePath: string | undefined;
    runtimeHandler: string;
    users?: UserNamespace | undefined;
  },
): SandboxSpec {
  const { id, hostname, networkNamespacePath, runtimeHandler, users } = of;
  const { pid, ipc } = namespacesOf(config);
  const sysctls = Object.entries(config.linux?.sysctls ?? {});
  const cgroupParent = config.linux?.cgroupParent;
  return {
    id,
    podName: config.metadata?.name ?? "",
    podNamespace: config.metadata?.namespace ?? "",
    hostname,
    ...(networkNamespacePath !== undefined && { networkNamespacePath }),
    ...(runtimeHandler && { handler: runtimeHandler }),
    ...(users && { users }),
    // The kubelet has made the groups of its classes, and set their limits.
    qosClass: "BestEffort",
    ...(cgroupParent && { cgroupParent }),
    resources: {},
    ...(sysctls.length > 0 && {
      sysctls: Object.fromEntries(sysctls.map(([name, value]) => [sysctlName(name), value])),
    }),
    shareProcessNamespace: pid === NamespaceMode.POD,
    hostPid: pid === NamespaceMode.NODE,
    hostIpc: ipc === NamespaceMode.NODE,
  };
}

/** What the network is to make; undefined in the node's own. */
export function attachRequest(
  config: Config,
  of: {
    id: string;
    handler: RuntimeHandler | undefined;
    users?: UserNamespace | undefined;
  },
): AttachRequest | undefined {
  if (namespacesOf(config).network === NamespaceMode.NODE) return undefined;
  return {
    podUid: of.id,
    podName: config.metadata?.name ?? "",
    podNamespace: config.metadata?.namespace ?? "",
    hostPorts: config.portMappings.filter(({ hostPort }) => hostPort > 0).map(hostPortOf),
    ...(of.users && { namespacePath: of.users.networkNamespacePath }),
    asksForNeighbours: of.handler?.hasOwnKernel ?? false,
  };
}

function hostPortOf({ hostIp, hostPort, containerPort, protocol }: cri.PortMapping): HostPort {
  const name = protocol === Protocol.UDP ? "UDP" : protocol === Protocol.SCTP ? "SCTP" : "TCP";
  return { hostPort, containerPort, protocol: name, ...(hostIp && { hostIp }) };
}

/** Texts of the files of /etc that a sandbox has. */
export function etcFiles(
  config: Config,
  node: { hostname: string; ip: string; resolvConf: string },
): Readonly<Record<"hostname" | "hosts" | "resolv.conf", string>> {
  const hostname = config.hostname || node.hostname;
  const own = node.ip ? `${node.ip}\t${hostname}\n` : "";
  return {
    hostname: `${hostname}\n`,
    hosts: `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${own}`,
    "resolv.conf": config.dnsConfig ? resolverText(config.dnsConfig) : node.resolvConf,
  };
}

/** Source: resolv.conf(5). */
function resolverText({ servers, searches, options }: cri.DNSConfig): string {
  return [
    ...(searches.length > 0 ? [`search ${searches.join(" ")}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
    "",
  ].join("\n");
}

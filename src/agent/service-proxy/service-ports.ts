import type { ServicePort as ApiServicePort, Service } from "../../api/generated/types/core-v1.ts";
import type { Endpoint, EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import type { ServiceEndpoint, ServicePort } from "./contract.ts";

/** Label by which an EndpointSlice names its Service. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

const AFFINITY_DEFAULT_SECONDS = 10_800;

/** Which node it is, and where. */
export interface NodePlace {
  nodeName: string;
  /** Zone of the node, if it names one. */
  zone: string | undefined;
}

/** What a node must make of one Service: empty for headless, ExternalName and foreign ones. */
export function servicePortsOf(
  service: Service,
  slices: readonly EndpointSlice[],
  at: NodePlace,
): ServicePort[] {
  const { metadata = {}, spec = {}, status } = service;
  const virtualIps = virtualIpsOf(service);
  if (spec.type === "ExternalName" || virtualIps.length === 0) return [];
  if (metadata.labels?.["service.kubernetes.io/service-proxy-name"]) return [];
  const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
    // A balancer that is a proxy must be passed through: it may add what the pod wants to see.
    ip && ipMode !== "Proxy" && isIpv4(ip) ? [ip] : [],
  );
  const sourceRanges = sourceRangesOf(service);
  return (spec.ports ?? []).map((port) => {
    const { all, local } = endpointsOf(port, slices, at);
    return {
      id: `${metadata.namespace}/${metadata.name}:${port.name ?? port.port}`,
      protocol: protocolOf(port.protocol),
      port: port.port,
      virtualIps,
      externalIps: (spec.externalIPs ?? []).filter(isIpv4),
      balancedIps: ingress,
      ...(sourceRanges ? { sourceRanges } : {}),
      endpoints: all,
      ...(port.nodePort ? { nodePort: port.nodePort } : {}),
      ...(spec.externalTrafficPolicy === "Local" ? { localExternalEndpoints: local } : {}),
      ...(spec.internalTrafficPolicy === "Local" ? { localInternalEndpoints: local } : {}),
      ...(spec.sessionAffinity === "ClientIP"
        ? {
            affinitySeconds:
              spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_DEFAULT_SECONDS,
          }
        : {}),
    };
  });
}

function isIpv4(address: string): boolean {
  return address.includes(".");
}

const RANGES_ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges";

/** Networks of our family; an empty list admits nobody, "everybody" is no restriction. */
function sourceRangesOf({ metadata, spec = {} }: Service): string[] | undefined {
  if (spec.type !== "LoadBalancer") return undefined;
  const annotation = metadata?.annotations?.[RANGES_ANNOTATION]?.trim();
  const given = spec.loadBalancerSourceRanges ?? (annotation ? annotation.split(",") : []);
  const ranges = given.map((range) => range.trim());
  if (ranges.length === 0 || ranges.includes("0.0.0.0/0")) return undefined;
  return ranges.filter(isIpv4);
}

function virtualIpsOf({ spec = {} }: Service): string[] {
  const ips = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
  return ips.filter((ip) => ip !== "None" && isIpv4(ip));
}

function protocolOf(protocol: string | undefined): ServicePort["protocol"] {
  return protocol === "UDP" || protocol === "SCTP" ? protocol : "TCP";
}

/**
 * Ready endpoints of the port; when there is none, those that still serve while they terminate,
 * so that a rollout of a single replica drops nothing (KEP-1669).
 */
function endpointsOf(
  port: ApiServicePort,
  slices: readonly EndpointSlice[],
  { nodeName, zone }: NodePlace,
): { all: ServiceEndpoint[]; local: ServiceEndpoint[] } {
  const found = slices
    .filter(({ addressType }) => addressType === "IPv4")
    .flatMap((slice) => {
      const target = (slice.ports ?? []).find(
        (candidate) =>
          (candidate.name ?? "") === (port.name ?? "") &&
          protocolOf(candidate.protocol) === protocolOf(port.protocol),
      );
      const number = target?.port;
      return number ? slice.endpoints.map((endpoint) => ({ endpoint, port: number })) : [];
    });
  const isReady = ({ endpoint }: (typeof found)[number]) => endpoint.conditions?.ready !== false;
  const pick = (candidates: typeof found): ServiceEndpoint[] => {
    const ready = candidates.filter(isReady);
    const usable = ready.length > 0 ? ready : candidates.filter(servesWhileTerminating);
    const byAddress = new Map<string, ServiceEndpoint>();
    for (const { endpoint, port: number } of usable) {
      const [ip] = endpoint.addresses;
      if (ip) byAddress.set(`${ip}:${number}`, { ip, port: number });
    }
    return [...byAddress.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  };
  // Hints count if every endpoint has one and this zone is among them (KEP-2433).
  const isFor = ({ endpoint }: (typeof found)[number]) =>
    endpoint.hints?.forZones?.some(({ name }) => name === zone) ?? false;
  const ready = found.filter(isReady);
  const isHinted = ready.every(({ endpoint }) => endpoint.hints?.forZones?.length);
  const nearby = zone && isHinted ? ready.filter(isFor) : [];
  return {
    all: pick(nearby.length > 0 ? nearby : found),
    local: pick(found.filter(({ endpoint }) => endpoint.nodeName === nodeName)),
  };
}

function servesWhileTerminating({ endpoint }: { endpoint: Endpoint }): boolean {
  return endpoint.conditions?.serving === true && endpoint.conditions.terminating === true;
}

import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from "../../api/generated/resources.ts";
import type { Service } from "../../api/generated/types/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import type { InformerFactory } from "../../client/informer.ts";
import type { DnsEndpoint, DnsService, DnsServiceSource } from "./cluster-zone.ts";

const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
const BY_SERVICE = "service";
const BY_IP = "ip";

/** Services as DNS sees them, read from informers at each question: nothing is kept twice. */
export function createServiceSource(informers: InformerFactory): {
  source: DnsServiceSource;
  synced: Promise<unknown>;
  /** Grows with every change. */
  serial: () => number;
} {
  const services = informers.informer(SERVICES);
  const slices = informers.informer(ENDPOINT_SLICES);
  const namespaces = informers.informer(NAMESPACES);
  let serial = 1;
  for (const informer of [services, slices]) informer.onChange(() => serial++);
  services.addIndex(BY_IP, (service) => clusterIpsOf(service));
  slices.addIndex(BY_SERVICE, (slice) => [`${slice.metadata?.namespace}/${serviceOf(slice)}`]);
  slices.addIndex(BY_IP, (slice) => slice.endpoints.flatMap(({ addresses }) => addresses));

  const get = (namespace: string, name: string): DnsService | undefined => {
    const service = services.get(namespace, name);
    return service && toDnsService(service, slices.byIndex(BY_SERVICE, `${namespace}/${name}`));
  };
  const byIp: DnsServiceSource["byIp"] = (ip) => {
    const [service] = services.byIndex(BY_IP, ip);
    if (service) return { service: toDnsService(service, []) };
    for (const slice of slices.byIndex(BY_IP, ip)) {
      const headless = get(slice.metadata?.namespace ?? "", serviceOf(slice));
      const endpoint = headless?.endpoints.find((candidate) => candidate.ip === ip);
      if (headless && endpoint) return { service: headless, endpoint };
    }
    return undefined;
  };
  return {
    source: { get, byIp, hasNamespace: (name) => namespaces.get(undefined, name) !== undefined },
    synced: Promise.all([services.synced, slices.synced, namespaces.synced]),
    serial: () => serial,
  };
}

function clusterIpsOf({ spec = {} }: Service): string[] {
  const ips = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
  return ips.filter((ip) => ip !== "None" && ip.includes("."));
}

function serviceOf({ metadata }: EndpointSlice): string {
  return metadata?.labels?.[SERVICE_NAME_LABEL] ?? "";
}

function toDnsService(service: Service, slices: readonly EndpointSlice[]): DnsService {
  const { metadata = {}, spec = {} } = service;
  const clusterIps = clusterIpsOf(service);
  const unready = spec.publishNotReadyAddresses === true;
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name ?? "",
    clusterIps,
    ...(spec.type === "ExternalName" && spec.externalName
      ? { externalName: spec.externalName }
      : {}),
    ports: (spec.ports ?? []).map(({ name = "", protocol = "TCP", port }) => {
      return { name, protocol, port };
    }),
    endpoints: clusterIps.length > 0 ? [] : slices.flatMap((slice) => endpointsOf(slice, unready)),
  };
}

function endpointsOf(slice: EndpointSlice, unready: boolean): DnsEndpoint[] {
  if (slice.addressType !== "IPv4") return [];
  const ports = (slice.ports ?? []).flatMap(({ name = "", protocol = "TCP", port }) => {
    return port ? [{ name, protocol, port }] : [];
  });
  return slice.endpoints
    .filter(({ conditions }) => unready || conditions?.ready !== false)
    .flatMap(({ addresses, hostname }) =>
      addresses.map((ip) => ({ ip, ...(hostname ? { hostname } : {}), ports })),
    );
}

import type { Endpoints, LoadBalancerIngress, Service } from "../generated/types/core-v1.ts";
import type { EndpointSlice } from "../generated/types/discovery-v1.ts";
import type { Ingress, IngressClass, NetworkPolicy } from "../generated/types/networking-v1.ts";
import {
  ageOf,
  columnsOf,
  labelsCell,
  listCell,
  NONE,
  nameOf,
  selectorCell,
  type TableKind,
  UNSET,
} from "./table-kind.ts";

type IngressPoint = Pick<LoadBalancerIngress, "ip" | "hostname">;

function addressesOf(points: readonly IngressPoint[] = []): string {
  const addresses = points.map(({ ip, hostname }) => ip || hostname || "").filter(Boolean);
  return [...new Set(addresses)].sort().join(",");
}

function externalIp({ spec, status }: Service): string {
  const own = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case "ClusterIP":
    case "NodePort":
      return own.length > 0 ? own.join(",") : NONE;
    case "LoadBalancer": {
      const given = addressesOf(status?.loadBalancer?.ingress);
      return [given, ...own].filter(Boolean).join(",") || "<pending>";
    }
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

function servicePorts({ spec }: Service): string {
  const ports = (spec?.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports.join(",") || NONE;
}

export const SERVICE_TABLE: TableKind<Service> = {
  columns: columnsOf("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector*"),
  cells: (service, context) => [
    nameOf(service),
    service.spec?.type ?? "",
    service.spec?.clusterIPs?.[0] || service.spec?.clusterIP || NONE,
    externalIp(service),
    servicePorts(service),
    ageOf(service, context),
    labelsCell(service.spec?.selector),
  ],
};

function hostPort(ip: string, port: number): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

export const ENDPOINTS_TABLE: TableKind<Endpoints> = {
  columns: columnsOf("Name", "Endpoints", "Age"),
  cells(endpoints, context) {
    const list = (endpoints.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
      if (ports.length === 0) return addresses.map(({ ip }) => ip);
      return ports.flatMap(({ port }) => addresses.map(({ ip }) => hostPort(ip, port)));
    });
    const text = (endpoints.subsets ?? []).length === 0 ? NONE : listCell(list);
    return [nameOf(endpoints), text, ageOf(endpoints, context)];
  },
};

export const ENDPOINT_SLICE_TABLE: TableKind<EndpointSlice> = {
  columns: columnsOf("Name", "AddressType", "Ports", "Endpoints", "Age"),
  cells(slice, context) {
    const ports = (slice.ports ?? []).map(({ port, name }) => {
      return port !== undefined ? String(port) : name || "*";
    });
    const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
    return [
      nameOf(slice),
      slice.addressType ?? "",
      ports.length === 0 ? UNSET : listCell(ports),
      addresses.length === 0 ? UNSET : listCell(addresses),
      ageOf(slice, context),
    ];
  },
};

function ingressHosts({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const hosts = rules.slice(0, 3).flatMap(({ host }) => (host ? [host] : []));
  if (hosts.length === 0) return "*";
  const more = rules.length - 3;
  return more > 0 && hosts.length === 3 ? `${hosts.join(",")} + ${more} more...` : hosts.join(",");
}

export const INGRESS_TABLE: TableKind<Ingress> = {
  columns: columnsOf("Name", "Class", "Hosts", "Address", "Ports", "Age"),
  cells: (ingress, context) => [
    nameOf(ingress),
    ingress.spec?.ingressClassName ?? NONE,
    ingressHosts(ingress),
    addressesOf(ingress.status?.loadBalancer?.ingress),
    (ingress.spec?.tls ?? []).length > 0 ? "80, 443" : "80",
    ageOf(ingress, context),
  ],
};

export const INGRESS_CLASS_TABLE: TableKind<IngressClass> = {
  columns: columnsOf("Name", "Controller", "Parameters", "Age"),
  cells(object, context) {
    const parameters = object.spec?.parameters;
    const group = parameters?.apiGroup ? `.${parameters.apiGroup}` : "";
    return [
      nameOf(object),
      object.spec?.controller ?? "",
      parameters ? `${parameters.kind}${group}/${parameters.name}` : NONE,
      ageOf(object, context),
    ];
  },
};

export const NETWORK_POLICY_TABLE: TableKind<NetworkPolicy> = {
  columns: columnsOf("Name", "Pod-Selector", "Age"),
  cells: (object, context) => [
    nameOf(object),
    selectorCell(object.spec?.podSelector),
    ageOf(object, context),
  ],
};

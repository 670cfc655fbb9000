import { isIP } from "node:net";
import { ENDPOINT_SLICES, SERVICES } from "../../api/generated/resources.ts";
import type { Service, ServicePort } from "../../api/generated/types/core-v1.ts";
import type {
  Endpoint as SliceEndpoint,
  EndpointSlice,
} from "../../api/generated/types/discovery-v1.ts";
import type { InformerFactory } from "../../client/informer.ts";
import { isAllowedOutside } from "./outside-names.ts";
import type { Backend } from "./route-table.ts";
import type { Endpoint } from "./upstream.ts";

const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
const BY_SERVICE = "service";

/** Endpoints of Services as they are now. Disposing stops the watches. */
export interface Backends extends Disposable {
  readonly synced: Promise<unknown>;
  /** Empty when there is no such Service or port, or nothing serves it. */
  endpointsOf(backend: Backend): readonly Endpoint[];
}

/** Reads Services and slices; what was found stays until one of them changes. */
export function createBackends(informers: InformerFactory): Backends {
  const services = informers.informer(SERVICES);
  const slices = informers.informer(ENDPOINT_SLICES);
  slices.addIndex(BY_SERVICE, (slice) => [serviceKeyOf(slice)]);
  /** Service to port to endpoints. */
  const found = new Map<string, Map<string | number, readonly Endpoint[]>>();
  services.onChange(({ object }) => {
    found.delete(`${object.metadata?.namespace}/${object.metadata?.name}`);
  });
  slices.onChange((change) => {
    found.delete(serviceKeyOf(change.object));
    if (change.type === "updated") found.delete(serviceKeyOf(change.previous));
  });
  return {
    synced: Promise.all([services.synced, slices.synced]),
    endpointsOf({ namespace, service: name, port, protocol }) {
      const key = `${namespace}/${name}`;
      const portKey = protocol ? `${port} ${protocol}` : port;
      let ports = found.get(key);
      const known = ports?.get(portKey);
      if (known) return known;
      const service = services.get(namespace, name);
      // Not remembered: a mistaken Ingress must not fill the memory.
      if (!service) return [];
      const all = findEndpoints(service, port, slices.byIndex(BY_SERVICE, key));
      const endpoints = protocol ? all.map((endpoint) => ({ ...endpoint, protocol })) : all;
      if (!ports) found.set(key, (ports = new Map()));
      ports.set(portKey, endpoints);
      return endpoints;
    },
    [Symbol.dispose]() {
      services[Symbol.dispose]();
      slices[Symbol.dispose]();
    },
  };
}

function serviceKeyOf({ metadata }: EndpointSlice): string {
  return `${metadata?.namespace}/${metadata?.labels?.[SERVICE_NAME_LABEL] ?? ""}`;
}

function findEndpoints(
  { spec = {} }: Service,
  wanted: string | number,
  slices: readonly EndpointSlice[],
): Endpoint[] {
  const port = spec.ports?.find(({ name, port: number }) => wanted === name || wanted === number);
  if (spec.type === "ExternalName") return outside(spec, { wanted, port });
  if (!port) return [];
  const all = slices.flatMap((slice) => endpointsIn(slice, port));
  const ready = all.filter(({ of }) => of.conditions?.ready !== false);
  // While the last pods go and the next are not ready, those that go still serve (KEP-1669).
  const usable = ready.length > 0 ? ready : all.filter(({ of }) => servesWhileTerminating(of));
  const unique = new Map(
    usable.map(({ endpoint }) => [`${endpoint.address}:${endpoint.port}`, endpoint]),
  );
  return [...unique.values()];
}

/** A server outside: what counts is its name, and the port that the Ingress names by number. */
function outside(
  { externalName }: NonNullable<Service["spec"]>,
  { wanted, port }: { wanted: string | number; port: ServicePort | undefined },
): Endpoint[] {
  const number = port?.port ?? wanted;
  if (!externalName || typeof number !== "number") return [];
  const address = externalName.replace(/\.$/, "");
  const family = isIP(address);
  if (family > 0 && !isAllowedOutside(address, family)) return [];
  return [{ address, port: number, protocol: protocolOf(port?.appProtocol) }];
}

function endpointsIn(
  { addressType, ports = [], endpoints }: EndpointSlice,
  port: ServicePort,
): { endpoint: Endpoint; of: SliceEndpoint }[] {
  if (addressType !== "IPv4") return [];
  const target = ports.find(({ name = "", protocol = "TCP" }) => {
    return name === (port.name ?? "") && protocol === "TCP";
  });
  const number = target?.port;
  if (number === undefined) return [];
  const protocol = protocolOf(port.appProtocol ?? target?.appProtocol);
  return endpoints.flatMap((of) => {
    const [address] = of.addresses;
    return address ? [{ endpoint: { address, port: number, protocol }, of }] : [];
  });
}

/** Standard names of KEP-3726, and those that were in use before. */
function protocolOf(appProtocol: string | undefined): Endpoint["protocol"] {
  switch (appProtocol?.toLowerCase()) {
    case "kubernetes.io/h2c":
    case "h2c":
    case "grpc":
      return "h2c";
    case "https":
    case "kubernetes.io/wss":
      return "https";
    default:
      return "http";
  }
}

function servesWhileTerminating({ conditions }: SliceEndpoint): boolean {
  return conditions?.serving === true && conditions.terminating === true;
}

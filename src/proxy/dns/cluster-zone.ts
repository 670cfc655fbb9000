import {
  DNS_CODE,
  DNS_TYPE,
  type DnsQuestion,
  type DnsRecord,
  type DnsReply,
} from "../../format/dns/message.ts";

/** A Service as DNS sees it. */
export interface DnsService {
  namespace: string;
  name: string;
  /** Absent for a headless Service. */
  clusterIps: readonly string[];
  externalName?: string;
  ports: readonly DnsPort[];
  /** Only for headless Services. */
  endpoints: readonly DnsEndpoint[];
}

/** A named port; unnamed ports have no SRV record. */
export interface DnsPort {
  name: string;
  protocol: string;
  port: number;
}

/** A ready endpoint of a headless Service. */
export interface DnsEndpoint {
  ip: string;
  /** From the pod's hostname; else its dashed address is used. */
  hostname?: string;
  ports: readonly DnsPort[];
}

/** Looks Services up; kept current by a watch. */
export interface DnsServiceSource {
  get(namespace: string, name: string): DnsService | undefined;
  hasNamespace(namespace: string): boolean;
  /** A Service by ClusterIP, or the headless Service and endpoint of a pod address. */
  byIp(ip: string): { service: DnsService; endpoint?: DnsEndpoint } | undefined;
}

const TTL_SECONDS = 5;
const SPEC_VERSION = "1.1.0";

/**
 * Answers for the cluster's own domain and for reverse names of its addresses; `undefined` means
 * that the question belongs upstream. Pure. Source: the Kubernetes DNS specification 1.1.0.
 */
export function answerFromCluster(
  question: DnsQuestion,
  options: { domain: string; services: DnsServiceSource; serial: number },
): DnsReply | undefined {
  const { domain, services, serial } = options;
  const { name, type } = question;
  if (name.endsWith(".in-addr.arpa")) return answerReverse(name, { domain, services });
  if (name !== domain && !name.endsWith(`.${domain}`)) return undefined;
  const soa: DnsRecord = {
    name: domain,
    type: "SOA",
    ttlSeconds: TTL_SECONDS,
    primary: `ns.dns.${domain}`,
    mailbox: `hostmaster.${domain}`,
    serial,
    minimumSeconds: TTL_SECONDS,
  };
  const labels = name === domain ? [] : name.slice(0, -domain.length - 1).split(".");
  const found = resolveLabels(labels, { name, domain, services });
  if (!found) {
    return { code: DNS_CODE.nameError, authoritative: true, answers: [], authority: [soa] };
  }
  const wanted = found.filter(
    (record) => type === DNS_TYPE.ANY || DNS_TYPE[record.type] === type || record.type === "CNAME",
  );
  if (name === domain && type === DNS_TYPE.SOA) wanted.push(soa);
  return {
    code: DNS_CODE.noError,
    authoritative: true,
    answers: wanted,
    ...(wanted.length === 0 ? { authority: [soa] } : {}),
  };
}

interface Scope {
  name: string;
  domain: string;
  services: DnsServiceSource;
}

/** Records of a name inside the zone; `undefined` when the name does not exist. */
function resolveLabels(labels: string[], scope: Scope): DnsRecord[] | undefined {
  const kind = labels.at(-1);
  if (labels.length === 0) return [];
  if (labels.length === 1 && kind === "dns-version") {
    return [{ name: scope.name, type: "TXT", ttlSeconds: TTL_SECONDS, text: SPEC_VERSION }];
  }
  if (labels.length === 2 && kind === "dns" && labels[0] === "ns") return [];
  if (kind === "pod") return resolvePod(labels.slice(0, -1), scope);
  if (kind !== "svc") return undefined;
  const rest = labels.slice(0, -1);
  const namespace = rest.at(-1);
  if (namespace === undefined) return [];
  if (rest.length === 1) return scope.services.hasNamespace(namespace) ? [] : undefined;
  const service = scope.services.get(namespace, rest.at(-2) ?? "");
  return service ? resolveService(service, rest.slice(0, -2), scope) : undefined;
}

/** "10-244-0-7.default.pod": the address is in the name itself. */
function resolvePod(labels: string[], scope: Scope): DnsRecord[] | undefined {
  const [address = "", namespace = ""] = labels;
  if (labels.length === 0) return [];
  if (labels.length === 1) return scope.services.hasNamespace(address) ? [] : undefined;
  const ip = address.split("-").map(Number);
  const isAddress = ip.length === 4 && ip.every((part) => part >= 0 && part <= 255);
  if (labels.length > 2 || !isAddress || !scope.services.hasNamespace(namespace)) return undefined;
  return [{ name: scope.name, type: "A", ttlSeconds: TTL_SECONDS, ip: ip.join(".") }];
}

function resolveService(
  service: DnsService,
  labels: string[],
  scope: Scope,
): DnsRecord[] | undefined {
  const { name, domain } = scope;
  const record = { name, ttlSeconds: TTL_SECONDS };
  const base = `${service.name}.${service.namespace}.svc.${domain}`;
  if (service.externalName) {
    return labels.length === 0
      ? [{ ...record, type: "CNAME", target: service.externalName }]
      : undefined;
  }
  const headless = service.clusterIps.length === 0;
  if (labels.length === 0) {
    const ips = headless ? service.endpoints.map(({ ip }) => ip) : service.clusterIps;
    if (ips.length === 0) return undefined;
    const addresses = ips.map((ip): DnsRecord => ({ ...record, type: "A", ip }));
    return [...addresses, ...serviceRecords(service, { base, record })];
  }
  if (labels.length === 1 && headless) {
    const endpoints = service.endpoints.filter((endpoint) => hostOf(endpoint) === labels[0]);
    if (endpoints.length === 0) return undefined;
    return endpoints.map(({ ip }) => ({ ...record, type: "A", ip }));
  }
  if (labels.length === 2 && labels.every((label) => label.startsWith("_"))) {
    const [portName, protocol] = labels.map((label) => label.slice(1));
    const matches = (port: DnsPort) =>
      port.name === portName && port.protocol.toLowerCase() === protocol;
    const found = serviceRecords(service, { base, record, matches });
    return found.length > 0 ? found : undefined;
  }
  return undefined;
}

function serviceRecords(
  service: DnsService,
  options: {
    base: string;
    record: { name: string; ttlSeconds: number };
    matches?: (port: DnsPort) => boolean;
  },
): DnsRecord[] {
  const { base, record, matches = () => true } = options;
  const srv = (port: DnsPort, target: string): DnsRecord => {
    return { ...record, type: "SRV", priority: 0, weight: 100, port: port.port, target };
  };
  const named = (ports: readonly DnsPort[]) => ports.filter((port) => port.name && matches(port));
  if (service.clusterIps.length > 0) return named(service.ports).map((port) => srv(port, base));
  return service.endpoints.flatMap((endpoint) =>
    named(endpoint.ports).map((port) => srv(port, `${hostOf(endpoint)}.${base}`)),
  );
}

/** First label of an endpoint's own name. */
function hostOf(endpoint: DnsEndpoint): string {
  return (endpoint.hostname ?? endpoint.ip.replaceAll(".", "-")).toLowerCase();
}

function answerReverse(
  name: string,
  options: { domain: string; services: DnsServiceSource },
): DnsReply | undefined {
  const ip = name.slice(0, -".in-addr.arpa".length).split(".").reverse().join(".");
  const found = options.services.byIp(ip);
  if (!found) return undefined;
  const { service, endpoint } = found;
  const base = `${service.name}.${service.namespace}.svc.${options.domain}`;
  const target = endpoint ? `${hostOf(endpoint)}.${base}` : base;
  const answers: DnsRecord[] = [{ name, type: "PTR", ttlSeconds: TTL_SECONDS, target }];
  return { code: DNS_CODE.noError, authoritative: true, answers };
}

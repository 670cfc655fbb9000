import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
} from "../../api/generated/types/networking-v1.ts";
import { type BackendTls, backendTlsOf } from "./backend-tls.ts";

/** A port of a Service, by name or by number. */
export interface Backend {
  namespace: string;
  service: string;
  port: string | number;
  /** As the Ingress says; otherwise the port of the Service tells. */
  protocol?: BackendProtocol;
  /** What the Ingress says of certificates. */
  tls?: BackendTls;
}

/** How backends are spoken to: "h2" is HTTP/2 by TLS, "h2c" without. */
export type BackendProtocol = "http" | "https" | "h2c" | "h2";

/** Where a request goes. */
export interface Route {
  /** Absent where a rule names another resource than a Service, which nobody serves. */
  backend: Backend | undefined;
  /** Plain requests are told to come back by TLS. */
  wantsTls: boolean;
}

/** What all Ingresses together say; never changes: a change makes a new table. */
export interface RouteTable {
  /** `host` without a port, lower case; `path` as `matchablePath` makes it. */
  routeOf(host: string, path: string): Route | undefined;
}

/** "false" keeps hosts with TLS reachable without it. */
export const REDIRECT_ANNOTATION = "nephos.dev/ingress-tls-redirect";

/** How the backends of an Ingress are spoken to; the second is the name that most write. */
const PROTOCOL_ANNOTATIONS = [
  "nephos.dev/backend-protocol",
  "nginx.ingress.kubernetes.io/backend-protocol",
];
const PROTOCOLS: ReadonlyMap<string, BackendProtocol> = new Map([
  ["HTTP", "http"],
  ["HTTPS", "https"],
  ["GRPC", "h2c"],
  ["GRPCS", "h2"],
]);

interface HostRoutes {
  exact: Map<string, Route>;
  /** By path without the slash at its end; "" matches everything. */
  prefixes: Map<string, Route>;
  fallback: Route | undefined;
}

/**
 * Compiles Ingresses. Of two that claim the same path of a host, the older one has it. The host is
 * chosen first: its own name, then a wildcard for its last label, then rules without host. Within
 * it the longest path wins, and an exact one before a prefix.
 */
export function compileRoutes(ingresses: readonly Ingress[]): RouteTable {
  const byAge = ingresses.toSorted(compareAge);
  const hosts = new Map<string, HostRoutes>();
  const tlsHosts = new Set(byAge.flatMap(redirectedHosts));
  for (const ingress of byAge) addRules(ingress, { hosts, tlsHosts });
  const catchAll = defaultRouteOf(byAge);
  return {
    routeOf(host, path) {
      const routes = hosts.get(host) ?? hosts.get(wildcardOf(host)) ?? hosts.get("");
      return (routes && routeWithin(routes, path)) ?? catchAll;
    },
  };
}

/** Hosts that an Ingress has certificates for: those of its rules when it names none. */
export function tlsHostsOf({ spec }: Ingress, hosts: readonly string[] | undefined): string[] {
  if (hosts?.length) return hosts.map((host) => host.toLowerCase());
  return (spec?.rules ?? []).flatMap(({ host }) => (host ? [host.toLowerCase()] : []));
}

/** "a.b.c" has the wildcard "*.b.c". */
export function wildcardOf(host: string): string {
  const dot = host.indexOf(".");
  return dot > 0 ? `*${host.slice(dot)}` : "";
}

/**
 * The path that rules are compared with: decoded, without dot segments and doubled slashes, so that
 * nobody gets around a rule by spelling. `undefined` for a path that cannot be decoded.
 */
export function matchablePath(target: string): string | undefined {
  const end = target.search(/[?#]/);
  const raw = end < 0 ? target : target.slice(0, end);
  if (!/%|\/\/|\/\./.test(raw)) return raw || "/";
  let decoded: string;
  try {
    decoded = decodeURIComponent(raw);
  } catch {
    return undefined;
  }
  const kept: string[] = [];
  const segments = decoded.split("/");
  for (const segment of segments) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const last = segments.at(-1);
  const isDirectory = last === "" || last === "." || last === "..";
  return `/${kept.join("/")}${isDirectory && kept.length > 0 ? "/" : ""}`;
}

/** Which of two Ingresses came first. */
export function compareAge(a: Ingress, b: Ingress): number {
  const key = ({ metadata }: Ingress) =>
    `${metadata?.creationTimestamp} ${metadata?.namespace}/${metadata?.name}`;
  return key(a) < key(b) ? -1 : 1;
}

function redirectedHosts(ingress: Ingress): string[] {
  if (ingress.metadata?.annotations?.[REDIRECT_ANNOTATION] === "false") return [];
  return (ingress.spec?.tls ?? []).flatMap(({ hosts }) => tlsHostsOf(ingress, hosts));
}

function addRules(
  ingress: Ingress,
  { hosts, tlsHosts }: { hosts: Map<string, HostRoutes>; tlsHosts: ReadonlySet<string> },
): void {
  const { spec = {} } = ingress;
  for (const { host: given = "", http } of spec.rules ?? []) {
    const host = given.toLowerCase();
    const wantsTls = tlsHosts.has(host);
    const routeTo = (backend: IngressBackend | undefined): Route | undefined =>
      backend && { backend: backendOf(backend, ingress), wantsTls };
    const known = hosts.get(host);
    const routes = known ?? { exact: new Map(), prefixes: new Map(), fallback: undefined };
    if (!known) hosts.set(host, routes);
    routes.fallback ??= routeTo(spec.defaultBackend);
    for (const path of http?.paths ?? []) addPath(routes, path, routeTo(path.backend));
  }
}

function addPath(routes: HostRoutes, of: HTTPIngressPath, route: Route | undefined): void {
  const { path = "/", pathType } = of;
  const [map, key] =
    pathType === "Exact" ? [routes.exact, path] : [routes.prefixes, path.replace(/\/+$/, "")];
  if (route && !map.has(key)) map.set(key, route);
}

function routeWithin({ exact, prefixes, fallback }: HostRoutes, path: string): Route | undefined {
  const found = exact.get(path);
  if (found) return found;
  for (let end = path.length; end >= 0; end = end === 0 ? -1 : path.lastIndexOf("/", end - 1)) {
    const route = prefixes.get(path.slice(0, end));
    if (route) return route;
  }
  return fallback;
}

/** An Ingress without rules speaks for every host; one with rules does when no other does. */
function defaultRouteOf(byAge: readonly Ingress[]): Route | undefined {
  const all = byAge.filter(({ spec }) => spec?.defaultBackend);
  const ingress = all.find(({ spec }) => !spec?.rules?.length) ?? all[0];
  const backend = ingress?.spec?.defaultBackend;
  return backend && { backend: backendOf(backend, ingress), wantsTls: false };
}

function backendOf({ service }: IngressBackend, ingress: Ingress): Backend | undefined {
  const { metadata } = ingress;
  const port = service?.port?.name ?? service?.port?.number;
  if (!service || !port) return undefined;
  const given = PROTOCOL_ANNOTATIONS.map((name) => metadata?.annotations?.[name]).find(Boolean);
  const protocol = PROTOCOLS.get(given?.toUpperCase() ?? "");
  const { namespace = "" } = metadata ?? {};
  const { name } = service;
  const tls = backendTlsOf(ingress, name);
  return {
    namespace,
    service: name,
    port,
    ...(protocol ? { protocol } : {}),
    ...(tls ? { tls } : {}),
  };
}

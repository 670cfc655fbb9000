import { notFound, StatusError } from "../../api/errors.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
import type { ResourceRegistry } from "../resource-registry.ts";

const KUBELET_PORT_DEFAULT = 10_250;
/** Kinds of addresses in the order in which they are tried. */
const ADDRESS_TYPES = ["InternalIP", "Hostname", "InternalDNS", "ExternalIP"];

/** Where something listens. */
export interface Endpoint {
  host: string;
  port: number;
}

type Item = Record<string, unknown>;

function itemsOf(value: unknown): Item[] {
  return Array.isArray(value) ? (value as Item[]) : [];
}

/** The endpoint of a node's agent. @throws StatusError NotFound | ServiceUnavailable */
export function kubeletOf(registry: ResourceRegistry, name: string): Endpoint {
  const nodes = registry.find("", "v1", "nodes");
  const node = nodes?.cache.get(name)?.object();
  if (!nodes || !node) throw notFound({ group: "", plural: "nodes" }, name);
  const status = fieldOf(node, "status");
  const addresses = itemsOf(status["addresses"]);
  const type = ADDRESS_TYPES.find((wanted) => addresses.some((item) => item["type"] === wanted));
  const host = addresses.find((item) => item["type"] === type)?.["address"];
  if (typeof host !== "string") {
    throw new StatusError("ServiceUnavailable", `node "${name}" has no address yet`);
  }
  const endpoint = fieldOf(fieldOf(status, "daemonEndpoints"), "kubeletEndpoint");
  return { host, port: Number(endpoint["Port"] ?? KUBELET_PORT_DEFAULT) || KUBELET_PORT_DEFAULT };
}

/** A pod as a request names it. @throws StatusError NotFound */
export function podOf(
  registry: ResourceRegistry,
  at: { namespace: string; name: string },
): KubeObject {
  const pod = registry.find("", "v1", "pods")?.cache.get(`${at.namespace}/${at.name}`)?.object();
  if (!pod) throw notFound({ group: "", plural: "pods" }, at.name);
  return pod;
}

/** Name of the node that runs the pod. @throws StatusError BadRequest */
export function hostOf(pod: KubeObject): string {
  const { nodeName } = fieldOf(pod, "spec");
  if (typeof nodeName === "string" && nodeName) return nodeName;
  throw new StatusError("BadRequest", `pod ${pod.metadata.name} does not have a host assigned`);
}

/** The container a request means: the one it names, or the only one. @throws StatusError */
export function containerOf(pod: KubeObject, asked: string | undefined): string {
  const spec = fieldOf(pod, "spec");
  const names = (field: string) => itemsOf(spec[field]).map((item) => String(item["name"]));
  const ordinary = names("containers");
  const others = [...names("initContainers"), ...names("ephemeralContainers")];
  const name = pod.metadata.name ?? "";
  if (asked !== undefined) {
    if (ordinary.includes(asked) || others.includes(asked)) return asked;
    throw new StatusError("BadRequest", `container ${asked} is not valid for pod ${name}`);
  }
  const [only] = ordinary;
  if (only !== undefined && ordinary.length === 1) return only;
  const inits = names("initContainers");
  const more = inits.length > 0 ? ` or one of the init containers: [${inits.join(" ")}]` : "";
  throw new StatusError(
    "BadRequest",
    `a container name must be specified for pod ${name}, choose one of: ` +
      `[${ordinary.join(" ")}]${more}`,
  );
}

/** "[scheme:]name[:port]" of a proxied pod, service or node. */
export interface ProxyName {
  scheme: "http" | "https";
  name: string;
  port: string;
}

/** Reads a name of the proxy subresource. @throws StatusError BadRequest */
export function parseProxyName(text: string): ProxyName {
  const parts = text.split(":");
  const [first = "", second = "", third = ""] = parts;
  if (parts.length === 3 && (first === "http" || first === "https" || first === "")) {
    return { scheme: first || "http", name: second, port: third };
  }
  if (parts.length === 2 && (first === "http" || first === "https")) {
    return { scheme: first, name: second, port: "" };
  }
  if (parts.length <= 2) return { scheme: "http", name: first, port: second };
  throw new StatusError("BadRequest", `invalid pod or service request "${text}"`);
}

/** Address of a pod's port. @throws StatusError */
export function podEndpoint(pod: KubeObject, port: string): Endpoint {
  const { podIP } = fieldOf(pod, "status");
  if (typeof podIP !== "string" || !podIP) {
    throw new StatusError(
      "ServiceUnavailable",
      `address not allocated for pod ${pod.metadata.name}`,
    );
  }
  const ports = itemsOf(fieldOf(pod, "spec")["containers"]).flatMap((container) =>
    itemsOf(container["ports"]),
  );
  if (port === "") return { host: podIP, port: Number(ports[0]?.["containerPort"] ?? 80) };
  const named = ports.find((item) => item["name"] === port)?.["containerPort"];
  const number = Number(named ?? port);
  if (Number.isInteger(number) && number > 0 && number < 65_536)
    return { host: podIP, port: number };
  throw new StatusError("BadRequest", `pod ${pod.metadata.name} has no port "${port}"`);
}

/** A ready endpoint behind a service's port. @throws StatusError NotFound | ServiceUnavailable */
export function serviceEndpoint(
  registry: ResourceRegistry,
  at: { namespace: string; name: string; port: string; asked?: string | undefined },
): Endpoint {
  const key = `${at.namespace}/${at.name}`;
  const service = registry.find("", "v1", "services")?.cache.get(key)?.object();
  if (!service) throw notFound({ group: "", plural: "services" }, at.name);
  const ports = itemsOf(fieldOf(service, "spec")["ports"]);
  const wanted =
    at.port === "" && ports.length === 1
      ? ports[0]
      : ports.find((item) => item["name"] === at.port || String(item["port"]) === at.port);
  if (!wanted) {
    const why = `no service port "${at.port}" found for service "${at.name}"`;
    throw new StatusError("ServiceUnavailable", why);
  }
  const slices = registry.find("discovery.k8s.io", "v1", "endpointslices");
  for (const sliceKey of slices?.cache.keys(`${at.namespace}/`) ?? []) {
    const slice = slices?.cache.get(sliceKey)?.object();
    if (slice?.metadata.labels?.["kubernetes.io/service-name"] !== at.name) continue;
    const port = itemsOf(slice["ports"]).find(
      (item) => (item["name"] ?? "") === (wanted["name"] ?? ""),
    );
    const ready = itemsOf(slice["endpoints"]).find(
      (item) => fieldOf(item, "conditions")["ready"] !== false,
    );
    const [host] = (ready?.["addresses"] as string[] | undefined) ?? [];
    if (host && port) return { host, port: Number(port["port"]) };
  }
  const { asked = at.name } = at;
  throw new StatusError("ServiceUnavailable", `no endpoints available for service "${asked}"`);
}

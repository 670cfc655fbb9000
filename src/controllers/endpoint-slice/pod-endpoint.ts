import type { Pod, Service, ServicePort } from "../../api/generated/types/core-v1.ts";
import type { Endpoint, EndpointPort } from "../../api/generated/types/discovery-v1.ts";
import { isTerminating } from "../ownership.ts";
import { isFinished, isReady } from "../pod-state.ts";

export type AddressFamily = "IPv4" | "IPv6";

/** A pod behind a service: its endpoint, and the ports it serves there. */
export interface PodEndpoint {
  endpoint: Endpoint;
  ports: EndpointPort[];
}

/** Families that the service has addresses of. */
export function familiesOf(service: Service): AddressFamily[] {
  const families = service.spec?.ipFamilies ?? [];
  return families.length > 0 ? families.map((one) => (one === "IPv6" ? "IPv6" : "IPv4")) : ["IPv4"];
}

export function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === "None";
}

/** The endpoint that a pod is in one family, or undefined while it is none. */
export function podEndpoint(
  pod: Pod,
  of: { service: Service; family: AddressFamily; zone: string | undefined },
): PodEndpoint | undefined {
  if (isFinished(pod)) return undefined;
  const addresses = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
  if (addresses.length === 0 && pod.status?.podIP) addresses.push(pod.status.podIP);
  const address = addresses.find((ip) => ip.includes(":") === (of.family === "IPv6"));
  if (!address) return undefined;
  const { service, zone } = of;
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const { hostname, subdomain, nodeName } = pod.spec ?? {};
  const named = hostname && subdomain === service.metadata?.name;
  return {
    endpoint: {
      addresses: [address],
      conditions: { ready, serving, terminating },
      ...(named ? { hostname } : {}),
      targetRef: { kind: "Pod", namespace, name, uid },
      ...(nodeName ? { nodeName } : {}),
      ...(zone ? { zone } : {}),
    },
    ports: (service.spec?.ports ?? []).flatMap((port) => endpointPort(port, pod)),
  };
}

/** A service port as this pod serves it; none when the pod has no port of that name. */
function endpointPort(port: ServicePort, pod: Pod): EndpointPort[] {
  const protocol = port.protocol ?? "TCP";
  const target = targetPort(port, pod);
  if (target === undefined) return [];
  const { appProtocol } = port;
  const more = appProtocol ? { appProtocol } : {};
  return [{ name: port.name ?? "", protocol, port: target, ...more }];
}

function targetPort(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === "number") return target === 0 ? port.port : target;
  if (/^\d+$/.test(target)) return Number(target);
  if (target === "") return port.port;
  const sidecars = (pod.spec?.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  return [...(pod.spec?.containers ?? []), ...sidecars]
    .flatMap(({ ports }) => ports ?? [])
    .find((one) => one.name === target && (one.protocol ?? "TCP") === (port.protocol ?? "TCP"))
    ?.containerPort;
}

import { isIPv4 } from "node:net";
import { ENDPOINTS as ENDPOINTS_RESOURCE } from "../../api/generated/resources.ts";
import type {
  EndpointAddress,
  Endpoints,
  EndpointSubset,
  Service,
} from "../../api/generated/types/core-v1.ts";
import type { Endpoint, EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import { controllerReference } from "../ownership.ts";
import { canonicalJson } from "../template-hash.ts";
import { MANAGED_BY, SERVICE_NAME } from "./endpoint-slice-plan.ts";
import type { AddressFamily } from "./pod-endpoint.ts";
import { type EndpointGroup, planSlices, type SliceStep } from "./slice-packing.ts";

/** Value of the label "managed-by" of slices that repeat what an Endpoints object says. */
export const MIRROR_MANAGER = "endpointslicemirroring-controller.k8s.io";

const SKIP = "endpointslice.kubernetes.io/skip-mirror";
/** Endpoints that were used as a lock say nothing about a Service. */
const LEADER = "control-plane.alpha.kubernetes.io/leader";
const NOT_COPIED: readonly string[] = [
  "endpoints.kubernetes.io/last-change-trigger-time",
  "kubectl.kubernetes.io/last-applied-configuration",
];
/** So many addresses of a subset are repeated. */
export const MIRRORED_MAX = 1_000;

/** Whether slices have to repeat these Endpoints, as nobody else makes slices of the Service. */
export function isMirrored(endpoints: Endpoints, service: Service): boolean {
  const { labels = {}, annotations = {} } = endpoints.metadata ?? {};
  return labels[SKIP] !== "true" && !(LEADER in annotations) && !service.spec?.selector;
}

/** The writes that make slices say what the Endpoints say. `slices` are those it made before. */
export function planMirror(
  endpoints: Endpoints,
  { service, slices }: { service: Service; slices: readonly EndpointSlice[] },
): SliceStep[] {
  return (["IPv4", "IPv6"] as const).flatMap((family) => {
    return planSlices(groupsOf(endpoints, family), {
      slices: slices.filter(({ addressType }) => addressType === family),
      endpointsMax: MIRRORED_MAX,
      blank: blankFor(endpoints, { service, family }),
    });
  });
}

/** How many addresses are too many to be repeated. */
export function unmirroredCount({ subsets = [] }: Endpoints): number {
  return subsets.reduce((sum, { addresses = [], notReadyAddresses = [] }) => {
    return sum + Math.max(0, addresses.length + notReadyAddresses.length - MIRRORED_MAX);
  }, 0);
}

function cut({ addresses = [], notReadyAddresses = [], ...subset }: EndpointSubset) {
  return {
    ...subset,
    addresses: addresses.slice(0, MIRRORED_MAX),
    notReadyAddresses: notReadyAddresses.slice(0, Math.max(0, MIRRORED_MAX - addresses.length)),
  };
}

function groupsOf(
  { subsets = [] }: Endpoints,
  family: AddressFamily,
): ReadonlyMap<string, EndpointGroup> {
  const groups = new Map<string, EndpointGroup>();
  for (const subset of subsets) {
    const endpoints = endpointsIn(cut(subset), family);
    if (endpoints.length === 0) continue;
    const ports = (subset.ports ?? []).map(({ name = "", port, protocol = "TCP", appProtocol }) => {
      return { name, port, protocol, ...(appProtocol ? { appProtocol } : {}) };
    });
    const key = canonicalJson(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(...endpoints.slice(0, MIRRORED_MAX - group.endpoints.length));
    groups.set(key, group);
  }
  return groups;
}

function endpointsIn(
  { addresses = [], notReadyAddresses = [] }: EndpointSubset,
  family: AddressFamily,
): Endpoint[] {
  const isOfFamily = ({ ip }: EndpointAddress) => isIPv4(ip) === (family === "IPv4");
  const endpoint =
    (ready: boolean) =>
    ({ ip, hostname, nodeName, targetRef }: EndpointAddress): Endpoint => ({
      addresses: [ip],
      conditions: { ready },
      ...(hostname ? { hostname } : {}),
      ...(targetRef ? { targetRef } : {}),
      ...(nodeName ? { nodeName } : {}),
    });
  return [
    ...addresses.filter(isOfFamily).map(endpoint(true)),
    ...notReadyAddresses.filter(isOfFamily).map(endpoint(false)),
  ];
}

function blankFor(
  endpoints: Endpoints,
  { service, family }: { service: Service; family: AddressFamily },
): Omit<EndpointSlice, "endpoints" | "ports"> {
  const { name = "", namespace = "", labels, annotations = {} } = endpoints.metadata ?? {};
  const copied = Object.entries(annotations).filter(([key]) => !NOT_COPIED.includes(key));
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: {
        ...labels,
        [SERVICE_NAME]: service.metadata?.name ?? "",
        [MANAGED_BY]: MIRROR_MANAGER,
      },
      annotations: Object.fromEntries(copied),
      ownerReferences: [controllerReference(ENDPOINTS_RESOURCE, endpoints)],
    },
    addressType: family,
  };
}

import { SERVICES } from "../../api/generated/resources.ts";
import type { Pod, Service } from "../../api/generated/types/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import { controllerReference } from "../ownership.ts";
import { canonicalJson } from "../template-hash.ts";
import { type AddressFamily, familiesOf, isHeadless, podEndpoint } from "./pod-endpoint.ts";
import { type EndpointGroup, planSlices, type SliceStep } from "./slice-packing.ts";
import { hintByShares, hintMode, hintOwnZones } from "./zone-hints.ts";

export const SERVICE_NAME = "kubernetes.io/service-name";
export const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
export const MANAGER = "endpointslice-controller.k8s.io";
const HEADLESS = "service.kubernetes.io/headless";
const ENDPOINTS_MAX = 100;

/** What a service's slices are made from. */
export interface ObservedEndpoints {
  /** Pods that the service selects. */
  pods: readonly Pod[];
  /** Slices that this controller made for it. */
  slices: readonly EndpointSlice[];
  zoneOf: (nodeName: string | undefined) => string | undefined;
  /** The part of all CPUs that each zone has. */
  shares?: () => ReadonlyMap<string, number> | undefined;
  /** Told for each family of a service whose zones share endpoints; without `refusal` they do. */
  onShared?: (family: AddressFamily, refusal: string | undefined) => void;
}

/** The writes that make the slices say where the service's pods are; few slices change at once. */
export function planEndpointSlices(service: Service, observed: ObservedEndpoints): SliceStep[] {
  const families = familiesOf(service);
  const obsolete = observed.slices.filter(
    (slice) => !families.includes(slice.addressType as AddressFamily),
  );
  return [
    ...families.flatMap((family) => planFamily(service, { ...observed, family })),
    ...obsolete.map((slice) => ({ do: "delete", slice }) as const),
  ];
}

function planFamily(
  service: Service,
  observed: ObservedEndpoints & { family: AddressFamily },
): SliceStep[] {
  const { family } = observed;
  const slices = observed.slices.filter(({ addressType }) => addressType === family);
  const groups = new Map<string, EndpointGroup>();
  for (const pod of observed.pods) {
    const zone = observed.zoneOf(pod.spec?.nodeName);
    const found = podEndpoint(pod, { service, family, zone });
    if (!found) continue;
    const key = canonicalJson(found.ports);
    const group = groups.get(key) ?? { ports: found.ports, endpoints: [] };
    group.endpoints.push(found.endpoint);
    groups.set(key, group);
  }
  addHints(service, { ...observed, slices, groups });
  // A service without pods keeps one empty slice, so that its absence of endpoints is a fact.
  if (groups.size === 0) groups.set("[]", { ports: [], endpoints: [] });
  const blank: Omit<EndpointSlice, "endpoints" | "ports"> = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${service.metadata?.name}-`,
      namespace: service.metadata?.namespace ?? "",
      labels: sliceLabels(service),
      ownerReferences: [controllerReference(SERVICES, service)],
    },
    addressType: family,
  };
  return planSlices(groups, { slices, endpointsMax: ENDPOINTS_MAX, blank });
}

/** Says for the clients of which zones the endpoints are, if the service wants that. */
function addHints(
  service: Service,
  of: ObservedEndpoints & {
    family: AddressFamily;
    groups: ReadonlyMap<string, EndpointGroup>;
  },
): void {
  const mode = hintMode(service);
  if (!mode) return;
  const endpoints = [...of.groups.values()].flatMap((group) => group.endpoints);
  if (mode === "close") return hintOwnZones(endpoints);
  const before = new Map(
    of.slices
      .flatMap((slice) => slice.endpoints ?? [])
      .map((endpoint) => [endpoint.addresses[0], endpoint.hints?.forZones?.[0]?.name]),
  );
  const refusal = hintByShares(endpoints, {
    shares: of.shares?.(),
    hintedBefore: ({ addresses: [address] }) => before.get(address),
  });
  of.onShared?.(of.family, refusal);
}

function sliceLabels(service: Service): Record<string, string> {
  return {
    ...service.metadata?.labels,
    ...(isHeadless(service) ? { [HEADLESS]: "" } : {}),
    [SERVICE_NAME]: service.metadata?.name ?? "",
    [MANAGED_BY]: MANAGER,
  };
}

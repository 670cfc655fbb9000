import { SERVICES } from "../../api/generated/resources.ts";
import type { Pod, Service } from "../../api/generated/types/core-v1.ts";
import type {
  Endpoint,
  EndpointPort,
  EndpointSlice,
} from "../../api/generated/types/discovery-v1.ts";
import { jsonEqual } from "../json-equal.ts";
import { controllerReference } from "../ownership.ts";
import { canonicalJson } from "../template-hash.ts";
import {
  type AddressFamily,
  familiesOf,
  isHeadless,
  type PodEndpoint,
  podEndpoint,
} from "./pod-endpoint.ts";

export const SERVICE_NAME = "kubernetes.io/service-name";
export const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
export const MANAGER = "endpointslice-controller.k8s.io";
const HEADLESS = "service.kubernetes.io/headless";
const ENDPOINTS_MAX = 100;

export type SliceStep =
  | { do: "create"; slice: EndpointSlice }
  | { do: "update"; slice: EndpointSlice; before: EndpointSlice }
  | { do: "delete"; slice: EndpointSlice };

/** What a service's slices are made from. */
export interface ObservedEndpoints {
  /** Pods that the service selects. */
  pods: readonly Pod[];
  /** Slices that this controller made for it. */
  slices: readonly EndpointSlice[];
  zoneOf: (nodeName: string | undefined) => string | undefined;
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
  const groups = new Map<string, PodEndpoint[]>();
  for (const pod of observed.pods) {
    const zone = observed.zoneOf(pod.spec?.nodeName);
    const found = podEndpoint(pod, { service, family, zone });
    if (!found) continue;
    const key = canonicalJson(found.ports);
    groups.set(key, [...(groups.get(key) ?? []), found]);
  }
  // A service without pods keeps one empty slice, so that its absence of endpoints is a fact.
  if (groups.size === 0) groups.set("[]", []);
  const blank = (ports: EndpointPort[], endpoints: Endpoint[]): EndpointSlice => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${service.metadata?.name}-`,
      namespace: service.metadata?.namespace ?? "",
      labels: sliceLabels(service),
      ownerReferences: [controllerReference(SERVICES, service)],
    },
    addressType: family,
    endpoints,
    ports,
  });
  const steps: SliceStep[] = [];
  const spare = slices.filter((slice) => !groups.has(canonicalJson(slice.ports ?? [])));
  for (const [key, members] of groups) {
    const known = slices.filter((slice) => canonicalJson(slice.ports ?? []) === key);
    const reuse = known.length === 0 ? spare.splice(0, 1) : [];
    const ports = members[0]?.ports ?? [];
    const endpoints = members.map(({ endpoint }) => endpoint);
    for (const { slice, content } of pack(endpoints, [...known, ...reuse])) {
      const next = blank(ports, content);
      if (!slice) steps.push({ do: "create", slice: next });
      else if (content.length === 0 && (endpoints.length > 0 || slice !== (known[0] ?? reuse[0]))) {
        steps.push({ do: "delete", slice });
      } else {
        const metadata = { ...slice.metadata, labels: sliceLabels(service) };
        const updated = { ...slice, metadata, endpoints: content, ports };
        const same =
          jsonEqual(slice.endpoints ?? [], content) &&
          jsonEqual(slice.ports ?? [], ports) &&
          jsonEqual(slice.metadata?.labels, metadata.labels);
        if (!same) steps.push({ do: "update", slice: updated, before: slice });
      }
    }
  }
  for (const slice of spare) steps.push({ do: "delete", slice });
  return steps;
}

/** Leaves endpoints in the slice they are in, fills gaps with new ones, then opens new slices. */
function pack(
  endpoints: readonly Endpoint[],
  slices: readonly EndpointSlice[],
): { slice: EndpointSlice | undefined; content: Endpoint[] }[] {
  const wanted = new Map(endpoints.map((one) => [endpointKey(one), one]));
  const packed: { slice: EndpointSlice | undefined; content: Endpoint[] }[] = slices.map(
    (slice) => {
      const content: Endpoint[] = [];
      for (const old of slice.endpoints ?? []) {
        const next = wanted.get(endpointKey(old));
        if (next) content.push(next);
        wanted.delete(endpointKey(old));
      }
      return { slice, content };
    },
  );
  for (const endpoint of wanted.values()) {
    let room = packed.find(({ content }) => content.length < ENDPOINTS_MAX);
    if (!room) {
      room = { slice: undefined, content: [] };
      packed.push(room);
    }
    room.content.push(endpoint);
  }
  if (packed.length === 0) packed.push({ slice: undefined, content: [] });
  return packed;
}

function endpointKey({ targetRef, addresses }: Endpoint): string {
  return `${targetRef?.uid} ${addresses?.[0]}`;
}

function sliceLabels(service: Service): Record<string, string> {
  return {
    ...service.metadata?.labels,
    ...(isHeadless(service) ? { [HEADLESS]: "" } : {}),
    [SERVICE_NAME]: service.metadata?.name ?? "",
    [MANAGED_BY]: MANAGER,
  };
}

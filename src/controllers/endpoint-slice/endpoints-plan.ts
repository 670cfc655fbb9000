import type {
  EndpointAddress,
  Endpoints,
  EndpointSubset,
  Pod,
  Service,
} from "../../api/generated/types/core-v1.ts";
import { jsonEqual } from "../json-equal.ts";
import { canonicalJson } from "../template-hash.ts";
import { familiesOf, isHeadless, podEndpoint } from "./pod-endpoint.ts";

const HEADLESS = "service.kubernetes.io/headless";
const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";
/** Addresses of one object; whoever needs all of them reads the slices. */
const ADDRESSES_MAX = 1000;

/** The older object of the same facts, in the preferred family; terminating pods leave. */
export function endpointsOf(service: Service, pods: readonly Pod[]): Endpoints {
  const [family = "IPv4"] = familiesOf(service);
  const subsets = new Map<string, Required<EndpointSubset>>();
  for (const pod of pods) {
    const found = podEndpoint(pod, { service, family, zone: undefined });
    if (!found) continue;
    const { conditions, addresses, targetRef, hostname, nodeName } = found.endpoint;
    if (conditions?.terminating && !service.spec?.publishNotReadyAddresses) continue;
    const address: EndpointAddress = {
      ip: addresses[0] ?? "",
      ...(hostname ? { hostname } : {}),
      ...(nodeName ? { nodeName } : {}),
      ...(targetRef ? { targetRef } : {}),
    };
    const ports = found.ports.map(({ name, port = 0, protocol, appProtocol }) => ({
      ...(name ? { name } : {}),
      port,
      ...(protocol ? { protocol } : {}),
      ...(appProtocol ? { appProtocol } : {}),
    }));
    const key = canonicalJson(ports);
    const subset = subsets.get(key) ?? { addresses: [], notReadyAddresses: [], ports };
    subsets.set(key, subset);
    (conditions?.ready ? subset.addresses : subset.notReadyAddresses).push(address);
  }
  const { name = "", namespace = "", labels } = service.metadata ?? {};
  const all = [...subsets.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  const list = truncated(all.map(sorted));
  const annotations = list === undefined ? {} : { annotations: { [OVER_CAPACITY]: "truncated" } };
  const merged = { ...labels, ...(isHeadless(service) ? { [HEADLESS]: "" } : {}) };
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name, namespace, labels: merged, ...annotations },
    ...(all.length > 0 ? { subsets: (list ?? all.map(sorted)).map(tidy) } : {}),
  };
}

function sorted(subset: Required<EndpointSubset>): Required<EndpointSubset> {
  const byAddress = (list: EndpointAddress[]) =>
    [...list].sort((a, b) => ((a.ip ?? "") < (b.ip ?? "") ? -1 : 1));
  const { addresses, notReadyAddresses, ports } = subset;
  return {
    addresses: byAddress(addresses),
    notReadyAddresses: byAddress(notReadyAddresses),
    ports,
  };
}

/**
 * At most so many addresses, each subset its part: ready ones first, and others only if all ready
 * ones have room. Undefined when all have.
 */
function truncated(
  subsets: readonly Required<EndpointSubset>[],
): Required<EndpointSubset>[] | undefined {
  const count = (of: "addresses" | "notReadyAddresses") =>
    subsets.reduce((sum, subset) => sum + subset[of].length, 0);
  const [ready, others] = [count("addresses"), count("notReadyAddresses")];
  if (ready + others <= ADDRESSES_MAX) return undefined;
  const cut = ready > ADDRESSES_MAX ? "addresses" : "notReadyAddresses";
  const room = cut === "addresses" ? ADDRESSES_MAX : ADDRESSES_MAX - ready;
  const total = cut === "addresses" ? ready : others;
  let left = room;
  return subsets.map((subset) => {
    const part = Math.min(left, Math.ceil((subset[cut].length / total) * room));
    left -= part;
    const notReadyAddresses = cut === "addresses" ? [] : subset.notReadyAddresses;
    return { ...subset, notReadyAddresses, [cut]: subset[cut].slice(0, part) };
  });
}

function tidy({ addresses, notReadyAddresses, ports }: Required<EndpointSubset>): EndpointSubset {
  return {
    ...(addresses.length > 0 ? { addresses } : {}),
    ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
    ...(ports.length > 0 ? { ports } : {}),
  };
}

/** Annotations of the stored object, with what is said of its size. */
export function annotationsOf(stored: Endpoints, wanted: Endpoints): Record<string, string> {
  const { [OVER_CAPACITY]: _, ...others } = stored.metadata?.annotations ?? {};
  return { ...others, ...wanted.metadata?.annotations };
}

/** True when the stored object already says what `wanted` says. */
export function isCurrent(stored: Endpoints, wanted: Endpoints): boolean {
  return (
    jsonEqual(stored.subsets ?? [], wanted.subsets ?? []) &&
    jsonEqual(stored.metadata?.labels ?? {}, wanted.metadata?.labels ?? {}) &&
    jsonEqual(stored.metadata?.annotations ?? {}, annotationsOf(stored, wanted))
  );
}

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
  const list = [...subsets.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  const merged = { ...labels, ...(isHeadless(service) ? { [HEADLESS]: "" } : {}) };
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name, namespace, labels: merged },
    ...(list.length > 0 ? { subsets: list.map(tidy) } : {}),
  };
}

function tidy(subset: Required<EndpointSubset>): EndpointSubset {
  const sorted = (list: EndpointAddress[]) =>
    [...list].sort((a, b) => ((a.ip ?? "") < (b.ip ?? "") ? -1 : 1));
  const { addresses, notReadyAddresses, ports } = subset;
  return {
    ...(addresses.length > 0 ? { addresses: sorted(addresses) } : {}),
    ...(notReadyAddresses.length > 0 ? { notReadyAddresses: sorted(notReadyAddresses) } : {}),
    ...(ports.length > 0 ? { ports } : {}),
  };
}

/** True when the stored object already says what `wanted` says. */
export function isCurrent(stored: Endpoints, wanted: Endpoints): boolean {
  return (
    jsonEqual(stored.subsets ?? [], wanted.subsets ?? []) &&
    jsonEqual(stored.metadata?.labels ?? {}, wanted.metadata?.labels ?? {})
  );
}

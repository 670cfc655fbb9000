import { ENDPOINT_SLICES, SERVICES } from "../../api/generated/resources.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import type { Service } from "../../api/generated/types/core-v1.ts";
import type { Random } from "../../lib/random.ts";
import type { ObjectReader } from "../contract.ts";

/** A Service that an extension of the API runs behind. */
export interface ServiceTarget {
  namespace: string;
  name: string;
  port: number;
}

/** Where to connect to. */
export interface Address {
  host: string;
  port: number;
}

/** Why a Service leads nowhere, in the words of upstream. */
export class NoEndpointError extends Error {
  override name = "NoEndpointError";
}

/**
 * A ready endpoint of a Service, chosen at random among those that are not in `avoid`, or among all
 * when it names all. @throws NoEndpointError
 */
export function resolveService(
  target: ServiceTarget,
  of: { reader: ObjectReader; random: Random; avoid?: (address: Address) => boolean },
): Address {
  const { namespace, name, port } = target;
  const service = of.reader.get(SERVICES, { namespace, name });
  if (!service) throw new NoEndpointError(`service "${name}" not found`);
  if (service.spec?.type === "ExternalName") {
    return { host: service.spec.externalName ?? "", port };
  }
  const addresses = endpointsOf(service, target, of.reader);
  if (addresses.length === 0) {
    throw new NoEndpointError(`no endpoints available for service "${name}"`);
  }
  const healthy = addresses.filter((address) => !of.avoid?.(address));
  const choice = healthy.length > 0 ? healthy : addresses;
  return choice[Math.floor(of.random.float() * choice.length)] as Address;
}

function endpointsOf(service: Service, target: ServiceTarget, reader: ObjectReader): Address[] {
  const wanted = service.spec?.ports?.find(({ port }) => port === target.port);
  if (!wanted) {
    throw new NoEndpointError(`no service port ${target.port} found for service "${target.name}"`);
  }
  return reader
    .list(ENDPOINT_SLICES, target.namespace)
    .filter(({ metadata }) => metadata?.labels?.["kubernetes.io/service-name"] === target.name)
    .flatMap((slice) => readyAddresses(slice, wanted.name ?? ""));
}

function readyAddresses(slice: EndpointSlice, portName: string): Address[] {
  const port = slice.ports?.find(({ name }) => (name ?? "") === portName)?.port;
  if (!port) return [];
  return slice.endpoints.flatMap(({ addresses, conditions }) => {
    const [host] = addresses;
    return host && conditions?.ready !== false ? [{ host, port }] : [];
  });
}

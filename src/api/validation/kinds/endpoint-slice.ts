import { dns1123LabelErrors, dns1123SubdomainErrors } from "../../../lib/names.ts";
import type { EndpointSlice } from "../../generated/types/discovery-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { PROTOCOLS, isIpv4, isIpv6, validateNonSpecialIp } from "../values.ts";

const ENDPOINTS_MAX = 1000;

const ADDRESSES_MAX = 100;

const SLICE_PORTS_MAX = 20_000;

const ADDRESS_TYPES: Readonly<Record<string, (address: string) => boolean>> = {
  IPv4: isIpv4,
  IPv6: isIpv6,
  FQDN: (address) => dns1123SubdomainErrors(address).length === 0,
};

/** Complaining about an unknown type is enough. */
function fitOf(addressType: string): (address: string) => boolean {
  const known = Object.hasOwn(ADDRESS_TYPES, addressType) ? ADDRESS_TYPES[addressType] : undefined;
  return known ?? (() => true);
}

export const ENDPOINT_SLICE: KindRules<EndpointSlice> = {
  validate(errors, slice) {
    const { addressType, ports = [] } = slice;
    const endpoints = slice.endpoints ?? [];
    if (errors.present("addressType", addressType)) {
      errors.oneOf("addressType", addressType, Object.keys(ADDRESS_TYPES));
    }
    if (endpoints.length > ENDPOINTS_MAX) {
      errors.tooMany("endpoints", endpoints.length, ENDPOINTS_MAX);
    }
    for (const [index, endpoint] of endpoints.entries()) {
      const path = `endpoints[${index}]`;
      const { hostname, nodeName } = endpoint;
      const addresses = endpoint.addresses ?? [];
      if (addresses.length === 0) {
        errors.required(`${path}.addresses`, "must contain at least 1 address");
      } else if (addresses.length > ADDRESSES_MAX) {
        errors.tooMany(`${path}.addresses`, addresses.length, ADDRESSES_MAX);
      }
      const fits = fitOf(addressType);
      for (const [at, address] of addresses.entries()) {
        const field = `${path}.addresses[${at}]`;
        if (fits(address)) {
          if (addressType !== "FQDN") validateNonSpecialIp(errors, field, address);
          continue;
        }
        const kind =
          addressType === "FQDN" ? "fully qualified domain name" : `${addressType} address`;
        errors.invalid(field, address, `must be a valid ${kind}`);
      }
      if (hostname) errors.complaints(`${path}.hostname`, hostname, dns1123LabelErrors(hostname));
      if (nodeName)
        errors.complaints(`${path}.nodeName`, nodeName, dns1123SubdomainErrors(nodeName));
    }
    if (ports.length > SLICE_PORTS_MAX) errors.tooMany("ports", ports.length, SLICE_PORTS_MAX);
    const names = new Set<string>();
    for (const [index, { name = "", protocol }] of ports.entries()) {
      const path = `ports[${index}]`;
      if (name) errors.complaints(`${path}.name`, name, dns1123LabelErrors(name));
      if (names.has(name)) errors.duplicate(`${path}.name`, name);
      names.add(name);
      errors.oneOf(`${path}.protocol`, protocol, PROTOCOLS);
    }
  },
  validateUpdate(errors, slice, old) {
    validateImmutable(errors, "addressType", { now: slice.addressType, old: old.addressType });
  },
};

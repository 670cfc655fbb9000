import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from "../../../lib/names.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "../../generated/types/discovery-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";
import { isIpv4, isIpv6, PROTOCOLS, validateNonSpecialIp } from "../values.ts";

const ENDPOINTS_MAX = 1000;
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20_000;
const ZONES_MAX = 8;

type AddressRule = (errors: FieldErrors, field: string, address: string) => void;

const ADDRESS_RULES: Readonly<Record<string, AddressRule>> = {
  FQDN: validateDomainName,
  IPv4: ipRule("IPv4", isIpv4),
  IPv6: ipRule("IPv6", isIpv6),
};

export const ENDPOINT_SLICE: KindRules<EndpointSlice> = {
  validate(errors, { addressType, endpoints, ports }) {
    errors.required1Of("addressType", addressType, Object.keys(ADDRESS_RULES));
    validateEndpoints(errors, endpoints ?? [], addressType);
    validatePorts(errors, ports ?? []);
  },
  validateUpdate(errors, slice, old) {
    validateImmutable(errors, "addressType", { now: slice.addressType, old: old.addressType });
  },
};

function ipRule(family: string, fits: (address: string) => boolean): AddressRule {
  return (errors, field, address) => {
    if (!fits(address)) errors.invalid(field, address, `must be a valid ${family} address`);
    validateNonSpecialIp(errors, field, address);
  };
}

/** A name of at least two labels, which may end with the dot of the root. */
function validateDomainName(errors: FieldErrors, field: string, text: string): void {
  if (text === "") return errors.required(field);
  const name = text.replace(/\.$/, "");
  const complaints = dns1123SubdomainErrors(name);
  const labels = name.split(".");
  const wrong = labels.find((label) => dns1123LabelErrors(label).length > 0);
  if (complaints.length > 0) errors.invalid(field, name, complaints.join(","));
  else if (labels.length < 2) {
    const detail = "should be a domain with at least two segments separated by dots";
    errors.invalid(field, name, detail);
  } else if (wrong !== undefined) errors.invalid(field, wrong, dns1123LabelErrors(wrong).join(","));
}

function validateEndpoints(
  errors: FieldErrors,
  endpoints: readonly Endpoint[],
  addressType: string,
): void {
  if (endpoints.length > ENDPOINTS_MAX) {
    return errors.tooMany("endpoints", endpoints.length, ENDPOINTS_MAX);
  }
  const rule = Object.hasOwn(ADDRESS_RULES, addressType) ? ADDRESS_RULES[addressType] : undefined;
  for (const [index, { addresses = [], nodeName, hostname, hints }] of endpoints.entries()) {
    const path = `endpoints[${index}]`;
    if (addresses.length === 0) {
      errors.required(`${path}.addresses`, "must contain at least 1 address");
    } else if (addresses.length > ADDRESSES_MAX) {
      errors.tooMany(`${path}.addresses`, addresses.length, ADDRESSES_MAX);
    }
    for (const [at, address] of addresses.entries()) {
      rule?.(errors, `${path}.addresses[${at}]`, address);
    }
    if (nodeName !== undefined) {
      errors.complaints(`${path}.nodeName`, nodeName, dns1123SubdomainErrors(nodeName));
    }
    if (hostname !== undefined) {
      errors.complaints(`${path}.hostname`, hostname, dns1123LabelErrors(hostname));
    }
    validateZones(errors, `${path}.hints.forZones`, hints?.forZones ?? []);
  }
}

function validateZones(
  errors: FieldErrors,
  field: string,
  zones: readonly { name: string }[],
): void {
  if (zones.length > ZONES_MAX) return errors.tooMany(field, zones.length, ZONES_MAX);
  const names = new Set<string>();
  for (const [index, { name = "" }] of zones.entries()) {
    const path = `${field}[${index}].name`;
    if (names.has(name)) errors.duplicate(path, name);
    names.add(name);
    errors.complaints(path, name, labelValueErrors(name));
  }
}

function validatePorts(errors: FieldErrors, ports: readonly EndpointPort[]): void {
  if (ports.length > PORTS_MAX) return errors.tooMany("ports", ports.length, PORTS_MAX);
  const names = new Set<string>();
  for (const [index, { name = "", protocol, appProtocol }] of ports.entries()) {
    const path = `ports[${index}]`;
    if (name) errors.complaints(`${path}.name`, name, dns1123LabelErrors(name));
    if (names.has(name)) errors.duplicate(`${path}.name`, name);
    names.add(name);
    errors.oneOf(`${path}.protocol`, protocol, PROTOCOLS);
    if (appProtocol === undefined) continue;
    errors.complaints(`${path}.appProtocol`, appProtocol, qualifiedNameErrors(appProtocol));
  }
}

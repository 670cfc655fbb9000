/** A range of IPv4 addresses. */
export interface Ipv4Range {
  /** First address, as a number. */
  base: number;
  prefixLength: number;
  /** How many addresses, the first and the last included. */
  size: number;
}

/** An address as a number. @throws RangeError for anything but four canonical decimals */
export function parseIpv4(text: string): number {
  const octets = text.split(".");
  const valid = octets.length === 4 && octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet));
  const numbers = octets.map(Number);
  if (!valid || numbers.some((octet) => octet > 255)) {
    throw new RangeError(`"${text}" is not an IPv4 address`);
  }
  return numbers.reduce((address, octet) => address * 256 + octet, 0);
}

/** The dotted form of an address. */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/** Parses "10.244.0.0/16"; bits after the prefix are ignored. @throws RangeError */
export function parseCidr(text: string): Ipv4Range {
  const [address = "", bits = ""] = text.split("/");
  const prefixLength = /^\d{1,2}$/.test(bits) ? Number(bits) : -1;
  if (prefixLength < 0 || prefixLength > 32) {
    throw new RangeError(`"${text}" is not an IPv4 range such as 10.244.0.0/16`);
  }
  const size = 2 ** (32 - prefixLength);
  const number = parseIpv4(address);
  return { base: number - (number % size), prefixLength, size };
}

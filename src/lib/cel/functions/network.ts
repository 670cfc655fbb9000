import { type Overloads, overload } from "../overload.ts";
import { CelError } from "../source-errors.ts";
import { Opaque, sizeOfValue, type Value } from "../values.ts";

const TRAVERSAL = 0.1;
const traverse = ([text = null]: readonly Value[]): number => sizeOfValue(text) * TRAVERSAL;
const traverseTwice = ([text = null]: readonly Value[]): number =>
  2 * sizeOfValue(text) * TRAVERSAL;

/** An address of 4 or 16 bytes. */
class Ip extends Opaque {
  readonly typeName = "net.IP";
  readonly bytes: readonly number[];

  constructor(bytes: readonly number[]) {
    super();
    this.bytes = bytes;
  }

  equals(other: Opaque): boolean {
    return other instanceof Ip && other.toString() === this.toString();
  }

  override toString(): string {
    return this.bytes.length === 4 ? this.bytes.join(".") : ipv6Text(this.bytes);
  }
}

/** A network: an address and how many of its bits are the prefix. */
class Cidr extends Opaque {
  readonly typeName = "net.CIDR";
  readonly ip: Ip;
  readonly prefixLength: number;

  constructor(ip: Ip, prefixLength: number) {
    super();
    this.ip = ip;
    this.prefixLength = prefixLength;
  }

  equals(other: Opaque): boolean {
    return other instanceof Cidr && other.toString() === this.toString();
  }

  override toString(): string {
    return `${this.ip.toString()}/${this.prefixLength}`;
  }

  masked(): Cidr {
    return new Cidr(new Ip(mask(this.ip.bytes, this.prefixLength)), this.prefixLength);
  }

  contains(ip: Ip): boolean {
    if (ip.bytes.length !== this.ip.bytes.length) return false;
    const [mine, theirs] = [this.ip.bytes, ip.bytes].map((all) => mask(all, this.prefixLength));
    return mine?.join() === theirs?.join();
  }
}

function mask(bytes: readonly number[], bits: number): number[] {
  return bytes.map((byte, at) => {
    const kept = Math.max(0, Math.min(8, bits - at * 8));
    return byte & (0xff << (8 - kept)) & 0xff;
  });
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  const valid = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part));
  const bytes = parts.map(Number);
  return valid && bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  if (!/^[0-9a-fA-F:.]+$/.test(text)) return undefined;
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const front = groupBytes(head);
  const back = tail === undefined ? [] : groupBytes(tail);
  if (!front || !back) return undefined;
  const missing = 16 - front.length - back.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...front, ...Array.from({ length: missing }, () => 0), ...back];
}

function groupBytes(text: string): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [at, group] of groups.entries()) {
    const embedded = at === groups.length - 1 ? parseIpv4(group) : undefined;
    if (embedded) bytes.push(...embedded);
    else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}

/** RFC 5952: the longest run of zero groups is left out. */
function ipv6Text(bytes: readonly number[]): string {
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const texts = groups.map((group) => group.toString(16));
  if (best.length < 2) return texts.join(":");
  const { start, length } = best;
  return `${texts.slice(0, start).join(":")}::${texts.slice(start + length).join(":")}`;
}

function readIp(text: string): Ip | undefined {
  const bytes = parseIpv4(text) ?? parseIpv6(text);
  return bytes && !isMapped(bytes) ? new Ip(bytes) : undefined;
}

function isMapped(bytes: readonly number[]): boolean {
  return bytes.length === 16 && bytes.slice(0, 12).join() === "0,0,0,0,0,0,0,0,0,0,255,255";
}

function readCidr(text: string): Cidr | undefined {
  const slash = text.lastIndexOf("/");
  const ip = readIp(text.slice(0, Math.max(slash, 0)));
  const bits = text.slice(slash + 1);
  if (!ip || !/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > ip.bytes.length * 8) {
    return undefined;
  }
  return new Cidr(ip, Number(bits));
}

function parseIp(text: string): Ip {
  const ip = readIp(text);
  if (ip) return ip;
  const bytes = parseIpv6(text);
  const shown = JSON.stringify(text);
  if (bytes) throw new CelError(`IPv4-mapped IPv6 address ${shown} is not allowed`);
  const why = `ParseAddr(${shown}): unable to parse IP`;
  throw new CelError(`IP Address ${shown} parse error during conversion from string: ${why}`);
}

function parseCidr(text: string): Cidr {
  const cidr = readCidr(text);
  if (cidr) return cidr;
  const why = `netip.ParsePrefix(${JSON.stringify(text)}): no valid address or prefix length`;
  throw new CelError(`network address parse error during conversion from string: ${why}`);
}

type Test = (bytes: readonly number[], isV4: boolean) => boolean;

const isUnspecified: Test = (bytes) => bytes.every((byte) => byte === 0);
const isLoopback: Test = (bytes, isV4) =>
  isV4 ? bytes[0] === 127 : bytes.at(-1) === 1 && bytes.slice(0, -1).every((byte) => byte === 0);
const isLinkLocalMulticast: Test = ([a = 0, b = 0, c = 0], isV4) =>
  isV4 ? a === 224 && b === 0 && c === 0 : a === 0xff && (b & 0xf) === 2;
const isLinkLocalUnicast: Test = ([a = 0, b = 0], isV4) =>
  isV4 ? a === 169 && b === 254 : a === 0xfe && (b & 0xc0) === 0x80;
const isMulticast: Test = ([a = 0], isV4) => (isV4 ? a >> 4 === 14 : a === 0xff);
const isBroadcast: Test = (bytes, isV4) => isV4 && bytes.every((byte) => byte === 255);
const isGlobalUnicast: Test = (bytes, isV4) =>
  ![isUnspecified, isLoopback, isMulticast, isLinkLocalUnicast, isBroadcast].some((test) =>
    test(bytes, isV4),
  );

const TESTS = {
  isUnspecified,
  isLoopback,
  isLinkLocalMulticast,
  isLinkLocalUnicast,
  isGlobalUnicast,
};

const containsCidr = (outer: Cidr, inner: Cidr): boolean =>
  outer.prefixLength <= inner.prefixLength && outer.contains(inner.ip);

/** Bytes of the prefix that have to be compared. */
const prefixBytes = (cidr: Value): number =>
  cidr instanceof Cidr ? Math.ceil(cidr.prefixLength / 8) : 1;
const compare = ([cidr = null, other = null]: readonly Value[]): number => {
  const parse = typeof other === "string" ? Math.ceil(traverse([other])) : 0;
  return Math.ceil(2 * prefixBytes(cidr) * TRAVERSAL) + parse;
};
const compareBlocks = (args: readonly Value[]): number =>
  compare(args) + Math.ceil(prefixBytes(args[0] ?? null) * TRAVERSAL) + 1;

/** IP addresses and networks of Kubernetes. */
export const NETWORK: Overloads = [
  overload("ip(string) -> net.IP", parseIp, traverse),
  overload("isIP(string) -> bool", (text: string) => readIp(text) !== undefined, traverse),
  overload(
    "::ip.isCanonical(string) -> bool",
    (text: string) => {
      return parseIp(text).toString() === text;
    },
    traverseTwice,
  ),
  overload("string(net.IP) -> string", String),
  overload("net.IP.family() -> int", ({ bytes }: Ip) => (bytes.length === 4 ? 4n : 6n)),
  ...Object.entries(TESTS).map(([name, test]) => {
    return overload(`net.IP.${name}() -> bool`, ({ bytes }: Ip) => test(bytes, bytes.length === 4));
  }),
  overload("cidr(string) -> net.CIDR", parseCidr, traverse),
  overload("isCIDR(string) -> bool", (text: string) => readCidr(text) !== undefined, traverse),
  overload("string(net.CIDR) -> string", String),
  overload("net.CIDR.ip() -> net.IP", ({ ip }: Cidr) => ip),
  overload("net.CIDR.prefixLength() -> int", ({ prefixLength }: Cidr) => BigInt(prefixLength)),
  overload("net.CIDR.masked() -> net.CIDR", (cidr: Cidr) => cidr.masked()),
  overload(
    "net.CIDR.containsIP(net.IP) -> bool",
    (cidr: Cidr, ip: Ip) => cidr.contains(ip),
    compare,
  ),
  overload(
    "net.CIDR.containsIP(string) -> bool",
    (cidr: Cidr, text: string) => cidr.contains(parseIp(text)),
    compare,
  ),
  overload("net.CIDR.containsCIDR(net.CIDR) -> bool", containsCidr, compareBlocks),
  overload(
    "net.CIDR.containsCIDR(string) -> bool",
    (cidr: Cidr, text: string) => containsCidr(cidr, parseCidr(text)),
    compareBlocks,
  ),
];

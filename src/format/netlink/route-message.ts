import {
  attribute,
  attributeText,
  attributeU32,
  concat,
  decodeAttributes,
  type NetlinkMessage,
  nested,
  type ReceivedMessage,
  u32,
} from "./message.ts";

// Numbers: linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/neighbour.h.
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTM_NEWNEIGH = 28;
const NLM_F_REPLACE = 0x100;
const NLM_F_DUMP = 0x300;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
const AF_INET = 2;
const IFF_UP = 1;

/** An IPv4 address as four bytes. @throws RangeError for anything but dotted decimals */
export function ipv4Bytes(text: string): Uint8Array {
  const parts = text.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) {
    throw new RangeError(`not an IPv4 address: "${text}"`);
  }
  return Uint8Array.from(parts);
}

/** "aa:bb:cc:dd:ee:ff" as six bytes. */
export function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(":"), (part) => Number.parseInt(part, 16));
}

function linkHeader(index: number, options: { up?: boolean } = {}): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, index, true);
  if (options.up) {
    view.setUint32(8, IFF_UP, true);
    view.setUint32(12, IFF_UP, true);
  }
  return bytes;
}

/** One end of a veth pair. */
export interface VethEnd {
  name: string;
  mac: string;
  /** Descriptor of the network namespace in which it is born; absent means the caller's own. */
  namespaceFd?: number;
  /** Brought up at once; only where the other end exists too. */
  up?: boolean;
  mtu?: number;
}

function vethEnd(end: VethEnd): Uint8Array[] {
  return [
    attributeText(3, end.name),
    attribute(1, macBytes(end.mac)),
    ...(end.mtu ? [attributeU32(4, end.mtu)] : []),
    ...(end.namespaceFd === undefined ? [] : [attributeU32(28, end.namespaceFd)]),
    // One queue each way, as it has by default; but the kernel would make one per processor, and
    // wait for an RCU grace period to give up all but the first.
    attributeU32(31, 1),
    attributeU32(32, 1),
  ];
}

/** Creates both ends of a veth pair in one step. */
export function newVethPair(near: VethEnd, far: VethEnd): NetlinkMessage {
  const peer = attribute(1, concat([linkHeader(0), ...vethEnd(far)]));
  const info = nested(18, [attributeText(1, "veth"), nested(2, [peer])]);
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: concat([linkHeader(0, near.up ? { up: true } : {}), ...vethEnd(near), info]),
  };
}

/** Brings a link up. */
export function setLinkUp(index: number): NetlinkMessage {
  return { type: RTM_NEWLINK, flags: 0, body: linkHeader(index, { up: true }) };
}

/** Deletes a link (and the other end of a veth). */
export function deleteLink(name: string): NetlinkMessage {
  return { type: RTM_DELLINK, flags: 0, body: concat([linkHeader(0), attributeText(3, name)]) };
}

/** Puts a link into a group, so that `deleteLinkGroup` finds it. */
export function setLinkGroup(index: number, group: number): NetlinkMessage {
  return {
    type: RTM_NEWLINK,
    flags: 0,
    body: concat([linkHeader(index), attributeU32(27, group)]),
  };
}

/** Deletes all links of a group at once: the kernel waits for its readers once, not once a link. */
export function deleteLinkGroup(group: number): NetlinkMessage {
  return { type: RTM_DELLINK, flags: 0, body: concat([linkHeader(0), attributeU32(27, group)]) };
}

/** Asks for one link by name. */
export function getLink(name: string): NetlinkMessage {
  return { type: RTM_GETLINK, flags: 0, body: concat([linkHeader(0), attributeText(3, name)]) };
}

/** Asks for all links. */
export function dumpLinks(): NetlinkMessage {
  return { type: RTM_GETLINK, flags: NLM_F_DUMP, body: linkHeader(0) };
}

/** A link as the kernel reports it. */
export interface LinkInfo {
  index: number;
  name: string;
  up: boolean;
}

/** Reads an RTM_NEWLINK answer. */
export function decodeLink(message: ReceivedMessage): LinkInfo {
  const view = new DataView(message.body.buffer, message.body.byteOffset, message.body.byteLength);
  const name = decodeAttributes(message.body.subarray(16)).get(3) ?? new Uint8Array();
  return {
    index: view.getUint32(4, true),
    name: new TextDecoder().decode(name.subarray(0, -1)),
    up: (view.getUint32(8, true) & IFF_UP) !== 0,
  };
}

/** An address on a link, such as 10.244.0.5/32. */
export interface AddressSpec {
  linkIndex: number;
  ip: string;
  prefixLength: number;
  /** Link name, a colon and a mark of ours: at most 15 characters. */
  label?: string;
}

function addressBody(spec: AddressSpec): Uint8Array {
  const header = new Uint8Array(8);
  header[0] = AF_INET;
  header[1] = spec.prefixLength;
  new DataView(header.buffer).setUint32(4, spec.linkIndex, true);
  const ip = ipv4Bytes(spec.ip);
  const label = spec.label ? [attributeText(3, spec.label)] : [];
  return concat([header, attribute(2, ip), attribute(1, ip), ...label]);
}

/** Adds an address; replacing an equal one is fine. */
export function newAddress(spec: AddressSpec): NetlinkMessage {
  return { type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_REPLACE, body: addressBody(spec) };
}

/** Removes an address. */
export function deleteAddress(spec: AddressSpec): NetlinkMessage {
  return { type: RTM_DELADDR, flags: 0, body: addressBody(spec) };
}

/** Asks for all IPv4 addresses. */
export function dumpAddresses(): NetlinkMessage {
  return {
    type: RTM_GETADDR,
    flags: NLM_F_DUMP,
    body: Uint8Array.from([AF_INET, 0, 0, 0, 0, 0, 0, 0]),
  };
}

/** Reads an RTM_NEWADDR answer. */
export function decodeAddress(message: ReceivedMessage): AddressSpec & { scope: number } {
  const view = new DataView(message.body.buffer, message.body.byteOffset, message.body.byteLength);
  const attributes = decodeAttributes(message.body.subarray(8));
  const label = attributes.get(3);
  return {
    ...(label ? { label: new TextDecoder().decode(label.subarray(0, -1)) } : {}),
    linkIndex: view.getUint32(4, true),
    prefixLength: message.body[1] ?? 0,
    scope: message.body[3] ?? 0,
    ip: (attributes.get(2) ?? attributes.get(1) ?? new Uint8Array(4)).join("."),
  };
}

/** A route in the main table. */
export interface RouteSpec {
  /** "0.0.0.0" with prefix 0 is the default route. */
  destination: string;
  prefixLength: number;
  linkIndex: number;
  gateway?: string;
  /** Preferred source address. */
  source?: string;
  /** The gateway is reachable on the link although no prefix says so. */
  onLink?: boolean;
}

/** Protocol number that marks our routes, so that others' stay untouched (rt_protos range). */
export const ROUTE_PROTOCOL = 78;

function routeBody(spec: RouteSpec): Uint8Array {
  const header = new Uint8Array(12);
  header[0] = AF_INET;
  header[1] = spec.prefixLength;
  header[4] = 254; // RT_TABLE_MAIN
  header[5] = ROUTE_PROTOCOL;
  header[6] = spec.gateway ? 0 : 253; // RT_SCOPE_UNIVERSE, RT_SCOPE_LINK
  header[7] = 1; // RTN_UNICAST
  if (spec.onLink) new DataView(header.buffer).setUint32(8, 4, true); // RTNH_F_ONLINK
  return concat([
    header,
    ...(spec.prefixLength > 0 ? [attribute(1, ipv4Bytes(spec.destination))] : []),
    attributeU32(4, spec.linkIndex),
    ...(spec.gateway ? [attribute(5, ipv4Bytes(spec.gateway))] : []),
    ...(spec.source ? [attribute(7, ipv4Bytes(spec.source))] : []),
  ]);
}

/** Adds a route or replaces the one to the same destination. */
export function newRoute(spec: RouteSpec): NetlinkMessage {
  return { type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE, body: routeBody(spec) };
}

/** Removes a route. */
export function deleteRoute(spec: RouteSpec): NetlinkMessage {
  return { type: RTM_DELROUTE, flags: 0, body: routeBody(spec) };
}

/** Asks for all IPv4 routes. */
export function dumpRoutes(): NetlinkMessage {
  const header = new Uint8Array(12);
  header[0] = AF_INET;
  return { type: RTM_GETROUTE, flags: NLM_F_DUMP, body: header };
}

/** Reads an RTM_NEWROUTE answer; `undefined` for tables other than main. */
export function decodeRoute(
  message: ReceivedMessage,
): (RouteSpec & { protocol: number }) | undefined {
  if (message.body[4] !== 254) return undefined;
  const attributes = decodeAttributes(message.body.subarray(12));
  const link = attributes.get(4);
  const gateway = attributes.get(5);
  return {
    destination: (attributes.get(1) ?? new Uint8Array(4)).join("."),
    prefixLength: message.body[1] ?? 0,
    protocol: message.body[5] ?? 0,
    linkIndex: link ? new DataView(link.buffer, link.byteOffset, 4).getUint32(0, true) : 0,
    ...(gateway ? { gateway: gateway.join(".") } : {}),
  };
}

/** Asks how the kernel would reach `ip`. */
export function lookUpRoute(ip: string): NetlinkMessage {
  const header = new Uint8Array(12);
  header[0] = AF_INET;
  header[1] = 32;
  return { type: RTM_GETROUTE, flags: 0, body: concat([header, attribute(1, ipv4Bytes(ip))]) };
}

/** A permanent neighbour entry, so that no ARP is needed. */
export function newNeighbour(spec: { linkIndex: number; ip: string; mac: string }): NetlinkMessage {
  const header = new Uint8Array(12);
  header[0] = AF_INET;
  header.set(u32(spec.linkIndex), 4);
  header[8] = 0x80; // NUD_PERMANENT
  return {
    type: RTM_NEWNEIGH,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    body: concat([header, attribute(1, ipv4Bytes(spec.ip)), attribute(2, macBytes(spec.mac))]),
  };
}

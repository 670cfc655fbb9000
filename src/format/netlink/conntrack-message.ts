import {
  attribute,
  concat,
  decodeAttributes,
  type NetlinkMessage,
  type ReceivedMessage,
} from "./message.ts";

// Numbers: linux/netfilter/nfnetlink.h, linux/netfilter/nfnetlink_conntrack.h.
const SUBSYSTEM = 1 << 8;
const GET = 1;
const DELETE = 2;
const NLM_F_DUMP = 0x300;
const NESTED = 0x8000;
const TUPLE_ORIGINAL = 1;
const TUPLE_REPLY = 2;
const ZONE = 18;
/** `struct nfgenmsg`: AF_INET, version 0, resource 0. */
const HEADER = Uint8Array.of(2, 0, 0, 0);

/** One direction of a flow. */
export interface FlowTuple {
  source: string;
  destination: string;
  /** IP protocol number. */
  protocol: number;
  sourcePort: number;
  destinationPort: number;
}

/** A flow that the kernel tracks: how it began and what its answers look like. */
export interface Flow {
  original: FlowTuple;
  reply: FlowTuple;
  /** The attributes that name it, as they came. */
  identity: Uint8Array;
}

/** Asks for all IPv4 flows, on a socket of NETLINK_NETFILTER (12). */
export function dumpFlows(): NetlinkMessage {
  return { type: SUBSYSTEM | GET, flags: NLM_F_DUMP, body: HEADER };
}

/** Removes a flow that a dump told of; ENOENT when it ended by itself. */
export function deleteFlow({ identity }: Flow): NetlinkMessage {
  return { type: SUBSYSTEM | DELETE, flags: 0, body: concat([HEADER, identity]) };
}

/** Reads an entry of the dump; `undefined` for flows without ports or addresses. */
export function decodeFlow({ body }: ReceivedMessage): Flow | undefined {
  const attributes = decodeAttributes(body.subarray(HEADER.length));
  const begun = attributes.get(TUPLE_ORIGINAL);
  const answered = attributes.get(TUPLE_REPLY);
  const original = begun && decodeTuple(begun);
  const reply = answered && decodeTuple(answered);
  if (!begun || !original || !reply) return undefined;
  const zone = attributes.get(ZONE);
  const identity = concat([
    attribute(TUPLE_ORIGINAL | NESTED, begun),
    ...(zone ? [attribute(ZONE, zone)] : []),
  ]);
  return { original, reply, identity };
}

function decodeTuple(bytes: Uint8Array): FlowTuple | undefined {
  const tuple = decodeAttributes(bytes);
  const addresses = decodeAttributes(tuple.get(1) ?? new Uint8Array());
  const ports = decodeAttributes(tuple.get(2) ?? new Uint8Array());
  const source = addresses.get(1);
  const destination = addresses.get(2);
  const protocol = ports.get(1)?.[0];
  const sourcePort = ports.get(2);
  const destinationPort = ports.get(3);
  if (!source || !destination || protocol === undefined || !sourcePort || !destinationPort) {
    return undefined;
  }
  return {
    source: source.join("."),
    destination: destination.join("."),
    protocol,
    sourcePort: bigEndian(sourcePort),
    destinationPort: bigEndian(destinationPort),
  };
}

function bigEndian(bytes: Uint8Array): number {
  return (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0);
}

/** One netlink message without its header fields that the socket fills in (sequence, port). */
export interface NetlinkMessage {
  /** Such as RTM_NEWLINK. */
  type: number;
  /** NLM_F_* besides REQUEST and ACK, which the socket adds. */
  flags: number;
  /** Family header and attributes, already aligned to 4 bytes. */
  body: Uint8Array;
}

/** Size of `struct nlmsghdr`. */
export const NETLINK_HEADER_BYTES = 16;

const align = (size: number): number => (size + 3) & ~3;

/** An attribute: 16-bit length and type, then `payload`, padded to 4 bytes (host byte order). */
export function attribute(type: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align(4 + payload.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + payload.length, true);
  view.setUint16(2, type, true);
  bytes.set(payload, 4);
  return bytes;
}

/** An attribute that holds attributes. */
export function nested(type: number, children: readonly Uint8Array[]): Uint8Array {
  return attribute(type, concat(children));
}

/** A 32-bit attribute in host byte order. */
export function attributeU32(type: number, value: number): Uint8Array {
  return attribute(type, u32(value));
}

/** A string attribute with its terminating zero. */
export function attributeText(type: number, text: string): Uint8Array {
  return attribute(type, new TextEncoder().encode(`${text}\0`));
}

/** A 32-bit number in host byte order (x86 and ARM: little endian). */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Joins byte strings. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The whole datagram of one message. Flags become REQUEST | ACK | `message.flags`. */
export function encodeMessage(message: NetlinkMessage, sequence: number): Uint8Array {
  const bytes = new Uint8Array(NETLINK_HEADER_BYTES + align(message.body.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, NETLINK_HEADER_BYTES + message.body.length, true);
  view.setUint16(4, message.type, true);
  view.setUint16(6, message.flags | 0x1 | 0x4, true);
  view.setUint32(8, sequence, true);
  bytes.set(message.body, NETLINK_HEADER_BYTES);
  return bytes;
}

/** One message of a received datagram. */
export interface ReceivedMessage {
  type: number;
  flags: number;
  sequence: number;
  body: Uint8Array;
}

/** Splits a datagram into messages; a truncated tail ends the walk. */
export function decodeMessages(datagram: Uint8Array): ReceivedMessage[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const messages: ReceivedMessage[] = [];
  let at = 0;
  while (at + NETLINK_HEADER_BYTES <= datagram.length) {
    const length = view.getUint32(at, true);
    if (length < NETLINK_HEADER_BYTES || at + length > datagram.length) break;
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      body: datagram.subarray(at + NETLINK_HEADER_BYTES, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** Attributes by type; the last one of a type wins. Nesting flags are cleared. */
export function decodeAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes = new Map<number, Uint8Array>();
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) break;
    attributes.set(view.getUint16(at + 2, true) & 0x3fff, bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return attributes;
}

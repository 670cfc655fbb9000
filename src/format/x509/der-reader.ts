/** One tag-length-value inside a larger buffer. */
export interface DerNode {
  /** Identifier octet, such as 0x30 for a sequence. */
  tag: number;
  content: Uint8Array;
  /** The whole encoding with tag and length. */
  raw: Uint8Array;
}

/** Bytes that are not the encoding they should be. */
export class DerError extends Error {
  override name = "DerError";
}

/** Reads the value that starts at `at`. @throws DerError */
export function readDer(bytes: Uint8Array, at = 0): DerNode {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new DerError("Value is cut off");
  if ((tag & 0x1f) === 0x1f) throw new DerError("Tags of several octets are not supported");
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const digits = first & 0x7f;
    if (digits === 0 || digits > 4) throw new DerError(`Length of ${digits} octets is refused`);
    length = 0;
    for (let i = 0; i < digits; i++) length = length * 256 + (bytes[start + i] ?? 0);
    start += digits;
  }
  const end = start + length;
  if (end > bytes.length) throw new DerError("Value is longer than the buffer");
  return { tag, content: bytes.subarray(start, end), raw: bytes.subarray(at, end) };
}

/** The members of a constructed value. @throws DerError */
export function derChildren(node: DerNode): DerNode[] {
  const children: DerNode[] = [];
  for (let at = 0; at < node.content.length; ) {
    const child = readDer(node.content, at);
    children.push(child);
    at += child.raw.length;
  }
  return children;
}

/** Dotted form of an object identifier's content. */
export function objectIdentifierOf(content: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of content) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet & 0x80) continue;
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(arc / 40));
      arcs.push(first, arc - first * 40);
    } else arcs.push(arc);
    arc = 0;
  }
  return arcs.join(".");
}

/** ASN.1 in distinguished encoding (ITU-T X.690), as far as X.509 needs it. */

const EMPTY = new Uint8Array(0);

/** Joins encoded values. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const joined = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function lengthBytes(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Uint8Array.of(0x80 | digits.length, ...digits);
}

/** One tag-length-value; `tag` is the identifier octet as it stands on the wire. */
export function derValue(tag: number, content: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(tag), lengthBytes(content.length), content]);
}

export function derSequence(...items: readonly Uint8Array[]): Uint8Array {
  return derValue(0x30, concatBytes(items));
}

export function derSet(...items: readonly Uint8Array[]): Uint8Array {
  return derValue(0x31, concatBytes(items));
}

export function derBoolean(value: boolean): Uint8Array {
  return derValue(0x01, Uint8Array.of(value ? 0xff : 0));
}

/** A non-negative integer from its big-endian magnitude. */
export function derInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const trimmed = magnitude.length === 0 ? Uint8Array.of(0) : magnitude.subarray(start);
  const sign = (trimmed[0] ?? 0) & 0x80 ? Uint8Array.of(0) : EMPTY;
  return derValue(0x02, concatBytes([sign, trimmed]));
}

/** An object identifier from its dotted form: "2.5.4.3". */
export function derObjectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift((left % 128) | 0x80);
    }
    bytes.push(...digits);
  }
  return derValue(0x06, Uint8Array.from(bytes));
}

export function derUtf8String(text: string): Uint8Array {
  return derValue(0x0c, new TextEncoder().encode(text));
}

export function derOctetString(content: Uint8Array): Uint8Array {
  return derValue(0x04, content);
}

/** `unusedBits` counts the low bits of the last octet that carry nothing. */
export function derBitString(content: Uint8Array, unusedBits = 0): Uint8Array {
  return derValue(0x03, concatBytes([Uint8Array.of(unusedBits), content]));
}

/** `Time` of RFC 5280 section 4.1.2.5: two-digit years until 2049, four digits after. */
export function derTime(epochMs: number): Uint8Array {
  const digits = new Date(epochMs).toISOString().replace(/[-:T]|\.\d+/g, "");
  const short = Number(digits.slice(0, 4)) < 2050;
  return short
    ? derValue(0x17, new TextEncoder().encode(digits.slice(2)))
    : derValue(0x18, new TextEncoder().encode(digits));
}

/** A context-specific tag; constructed unless it wraps plain octets. */
export function derContext(tag: number, content: Uint8Array, constructed = true): Uint8Array {
  return derValue((constructed ? 0xa0 : 0x80) | tag, content);
}

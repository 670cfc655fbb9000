/** Bits of the code of each byte; the codes follow, as they are canonical. RFC 7541, Appendix B. */
const CODE_BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
  28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5,
  6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6,
  7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
  23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22,
  22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22,
  23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27,
  27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25,
  24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];
const CODE_BITS_MAX = 30;

/** The bytes whose codes have the same number of bits; the first one's code, the others follow. */
interface CodeRow {
  firstCode: number;
  bytes: readonly number[];
}

const ROWS: readonly CodeRow[] = rowsByBits();

function rowsByBits(): CodeRow[] {
  const rows: CodeRow[] = [];
  let code = 0;
  for (let bits = 0; bits <= CODE_BITS_MAX; bits++) {
    const bytes = CODE_BITS.flatMap((wanted, byte) => (wanted === bits ? [byte] : []));
    rows.push({ firstCode: code, bytes });
    code = (code + bytes.length) * 2;
  }
  return rows;
}

/** Text of a Huffman-coded string of HPACK; undefined when its code is broken. RFC 7541, 5.2. */
export function decodeHuffman(coded: Uint8Array): Buffer | undefined {
  const decoded: number[] = [];
  let code = 0;
  let bits = 0;
  for (let at = 0; at < coded.length * 8; at++) {
    code = code * 2 + (((coded[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    bits++;
    const row = ROWS[bits];
    if (!row) return undefined;
    const byte = row.bytes[code - row.firstCode];
    if (byte === undefined) continue;
    decoded.push(byte);
    code = 0;
    bits = 0;
  }
  // What is left is padding: fewer than 8 ones.
  return bits < 8 && code === 2 ** bits - 1 ? Buffer.from(decoded) : undefined;
}

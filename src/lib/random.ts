/** The only source of randomness above the adapters, so that a seed replays a run. */
export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  /** `size` bytes fit for keys, tokens and UIDs when the adapter is the real one. */
  bytes(size: number): Uint8Array;
}

const NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** A suffix for generated names; without vowels, so that it never spells a word. */
export function randomSuffix(random: Random, length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) {
    text += NAME_ALPHABET[Math.floor(random.float() * NAME_ALPHABET.length)];
  }
  return text;
}

/** A version 4 UUID (RFC 9562 section 5.4). */
export function randomUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
  return (
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}` +
    `-${hex.slice(16, 20)}-${hex.slice(20)}`
  );
}

/** A small deterministic generator (mulberry32) for simulations and tests; never for keys. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const float = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { float, bytes: (size) => Uint8Array.from({ length: size }, () => float() * 256) };
}

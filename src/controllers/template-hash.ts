const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** JSON with sorted members and without undefined ones, so that equal values have equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}

/** 32-bit FNV-1a of the UTF-8 text. */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

/**
 * A label-safe hash of a template, in upstream's alphabet. `collisions` makes another one when a
 * different template already took the name.
 */
export function templateHash(template: unknown, collisions: number | undefined): string {
  const text = canonicalJson(template) + (collisions ? `#${collisions}` : "");
  return Array.from(
    String(fnv1a32(text)),
    (digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length],
  ).join("");
}

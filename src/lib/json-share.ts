/**
 * Freezes a JSON value and lets it share with `like`, frozen already, whatever is equal in both,
 * keys in their order included: text, lists, objects. Returns `like` itself when all is equal;
 * what is frozen already stays as it is.
 * Objects of one origin differ in few parts; kept by the thousand, the others are kept once.
 */
export function freezeSharing<T>(value: T, like: unknown): T {
  if (typeof value !== "object" || value === null) return value === like ? (like as T) : value;
  if (value === like || Object.isFrozen(value)) return value;
  const other = typeof like === "object" && like !== null ? like : NOTHING;
  const keys = Object.keys(value);
  const otherKeys = Object.keys(other);
  let isEqual = keys.length === otherKeys.length && Array.isArray(value) === Array.isArray(other);
  const members = value as Record<string, unknown>;
  const others = other as Record<string, unknown>;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string;
    const inner = members[key];
    // The one key whose assignment would do something else.
    const counterpart = key === "__proto__" ? undefined : others[key];
    const isSame = key === otherKeys[at];
    if (typeof inner !== "object" || inner === null) {
      if (!isSame || inner !== counterpart) isEqual = false;
      continue;
    }
    const shared = freezeSharing(inner, counterpart);
    if (!isSame || shared !== counterpart) isEqual = false;
    else if (shared !== inner) members[key] = shared;
  }
  if (isEqual && other !== NOTHING) return other as T;
  if (other !== NOTHING) shareTexts(members, others);
  return Object.freeze(value);
}

/** Equal texts are mostly two: whoever keeps the one lets the other go. */
function shareTexts(members: Record<string, unknown>, others: Readonly<typeof members>): void {
  for (const key in members) {
    const inner = members[key];
    if (typeof inner !== "string" || key === "__proto__") continue;
    const other = others[key];
    if (other === inner) members[key] = other;
  }
}

const NOTHING: object = Object.freeze({});

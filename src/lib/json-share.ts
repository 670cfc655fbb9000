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
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string;
    const inner = members[key];
    // The one key whose assignment would do something else.
    const counterpart = key === "__proto__" ? undefined : (other as typeof members)[key];
    const shared = freezeSharing(inner, counterpart);
    if (key !== otherKeys[at] || shared !== counterpart) isEqual = false;
    else members[key] = shared;
  }
  return isEqual && other !== NOTHING ? (other as T) : Object.freeze(value);
}

const NOTHING: object = Object.freeze({});

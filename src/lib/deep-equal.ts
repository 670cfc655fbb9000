/** Whether two JSON values are equal; the order of object keys does not matter. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return isSameNumber(a, b);
  }
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, at) => deepEqual(item, b[at]));
  }
  if (Array.isArray(b)) return false;
  return sameMembers(a as Record<string, unknown>, b as Record<string, unknown>);
}

/** A whole number that was read as a float on one side only. */
function isSameNumber(a: unknown, b: unknown): boolean {
  if (typeof a === "bigint") return typeof b === "number" && Number(a) === b;
  return typeof b === "bigint" && typeof a === "number" && a === Number(b);
}

function sameMembers(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  let excess = 0;
  for (const key in a) {
    if (!(key in b) || !deepEqual(a[key], b[key])) return false;
    excess++;
  }
  for (const _ in b) excess--;
  return excess === 0;
}

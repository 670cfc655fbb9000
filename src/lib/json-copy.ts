/** An ordinary member, for the one key that cannot be assigned. */
const OF_A_MEMBER = { enumerable: true, writable: true, configurable: true } as const;

/** A deep copy of a JSON value (`bigint` included): nothing is shared with the original. */
export function copyJson<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => copyJson(item)) as T;
  const copy: Record<string, unknown> = {};
  for (const key in value) {
    const inner: unknown = copyJson(value[key]);
    if (key !== "__proto__") copy[key] = inner;
    else Object.defineProperty(copy, key, { value: inner, ...OF_A_MEMBER });
  }
  return copy as T;
}

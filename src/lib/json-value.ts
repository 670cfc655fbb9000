/**
 * Whether a value is what parsing its JSON would give: plain objects, lists, finite numbers.
 * @param known objects that are, as has been seen before
 */
export function isJson(value: unknown, known: readonly object[] = []): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      return value === null || known.includes(value) || isJsonObject(value, known);
    default:
      return false;
  }
}

function isJsonObject(value: object, known: readonly object[]): boolean {
  if (Array.isArray(value)) return value.every((item) => isJson(item, known));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    if (typeof member !== "string" && !isJson(member, known)) return false;
  }
  return true;
}

/** Whole numbers from here on have as many digits as may be more than a `number` holds. */
const LONG_NUMBER_MIN = 1e15;

/** Whether a parsed value may have lost digits of an int64, which JSON can hold and it cannot. */
export function mayHoldInt64(value: unknown): boolean {
  if (typeof value === "number") return value >= LONG_NUMBER_MIN || value <= -LONG_NUMBER_MIN;
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(mayHoldInt64);
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (typeof inner !== "string" && mayHoldInt64(inner)) return true;
  }
  return false;
}

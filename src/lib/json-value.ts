/** Whether a value is what parsing its JSON would give: plain objects, lists, finite numbers. */
export function isJson(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      return value === null || isJsonObject(value);
    default:
      return false;
  }
}

function isJsonObject(value: object): boolean {
  if (Array.isArray(value)) return value.every(isJson);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) {
    if (!isJson((value as Record<string, unknown>)[key])) return false;
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

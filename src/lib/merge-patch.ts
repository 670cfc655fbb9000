/**
 * Applies a JSON merge patch (RFC 7386): objects merge, null removes, the rest replaces. Neither
 * argument changes; the result shares what stayed the same, and is `target` itself for a patch
 * that changes nothing.
 */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const base = isObject(target) ? target : undefined;
  let result: Record<string, unknown> | undefined = base ? undefined : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    const before = base && Object.hasOwn(base, key) ? base[key] : undefined;
    if (value === null) {
      if (before === undefined) continue;
      result ??= { ...base };
      delete result[key];
      continue;
    }
    const after = applyMergePatch(before, value);
    if (after === before) continue;
    result ??= { ...base };
    setOwn(result, key, after);
  }
  return result ?? base;
}

/** Assigns also the key "__proto__" as what it is in JSON: an ordinary member. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else {
    const member = { enumerable: true, writable: true, configurable: true };
    Object.defineProperty(object, key, { value, ...member });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Applies a JSON merge patch (RFC 7386): objects merge, null removes, the rest replaces. Objects in
 * lists lose their nulls, too, which upstream adds to the RFC. Neither
 * argument changes; the result shares what stayed the same, and is `target` itself for a patch
 * that changes nothing.
 */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return withoutNulls(patch);
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

/** A value whose objects have no members that are null, itself if so; elements of lists may be. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(withoutNulls);
    return items.some((item, at) => item !== value[at]) ? items : value;
  }
  if (!isObject(value)) return value;
  const kept: Record<string, unknown> = {};
  let isSame = true;
  for (const key of Object.keys(value)) {
    const member = withoutNulls(value[key]);
    isSame &&= member !== null && member === value[key];
    if (member !== null) setOwn(kept, key, member);
  }
  return isSame ? value : kept;
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

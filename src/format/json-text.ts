/** A value of which it is known how it is written. */
export interface KnownText {
  readonly value: object;
  /** `exactJson` of it. */
  readonly json: string;
}

/** JSON of a value that may hold `bigint`s; what JSON cannot say becomes `null`. */
export function exactJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch (error) {
    if (!(error instanceof TypeError) || !hasBigInt(value)) throw error;
    return exactText(value) ?? "null";
  }
}

function hasBigInt(value: unknown): boolean {
  if (typeof value === "bigint") return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasBigInt);
}

/** `JSON.stringify` for values with `bigint`s in them. */
function exactText(value: unknown): string | undefined {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => exactText(item) ?? "null").join(",")}]`;
  const members: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    const text = exactText(item);
    if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${members.join(",")}}`;
}

/** Text that stands between quotes as it is; what else there is, JSON.stringify escapes. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/**
 * `exactJson` of a value that has others in it whose text is known. Around those little is left,
 * for which JSON.stringify would be called many times.
 */
export function jsonAround(known: readonly KnownText[], value: unknown): string {
  return textAround(known, value) ?? "null";
}

/** `undefined` for what JSON leaves out. */
function textAround(known: readonly KnownText[], value: unknown): string | undefined {
  if (typeof value === "string") return quoted(value);
  if (typeof value !== "object" || value === null) return exactText(value);
  for (const each of known) if (each.value === value) return each.json;
  if (Array.isArray(value)) {
    let items = "";
    for (const item of value) {
      if (items) items += ",";
      items += textAround(known, item) ?? "null";
    }
    return `[${items}]`;
  }
  if ("toJSON" in value) return exactJson(value);
  let members = "";
  for (const name of Object.keys(value)) {
    const text = textAround(known, (value as Record<string, unknown>)[name]);
    if (text === undefined) continue;
    if (members) members += ",";
    members += `${quoted(name)}:${text}`;
  }
  return `{${members}}`;
}

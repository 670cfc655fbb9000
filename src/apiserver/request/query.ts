/** Parameters of a query string; the URL class would cost more than the request. */
export class Query {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** The first value; `undefined` when absent. An empty value counts as absent. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.[0] || undefined;
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? NONE;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Absent, "0" and "false" are false; everything else, also an empty value, is true. */
  flag(name: string): boolean {
    const value = this.#values.get(name)?.[0];
    return value !== undefined && value !== "0" && value.toLowerCase() !== "false";
  }
}

const NONE: readonly string[] = [];
const EMPTY: Query = new Query(new Map());

function decode(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

/** Splits "/path?a=1" into its path and its parameters. */
export function splitPath(url: string): { path: string; query: Query; rawQuery: string } {
  const at = url.indexOf("?");
  if (at < 0) return { path: url, query: EMPTY, rawQuery: "" };
  const rawQuery = url.slice(at + 1);
  const values = new Map<string, string[]>();
  for (const pair of rawQuery.split("&")) {
    if (!pair) continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : decode(pair.slice(equals + 1));
    const known = values.get(name);
    if (known) known.push(value);
    else values.set(name, [value]);
  }
  return { path: url.slice(0, at), query: new Query(values), rawQuery };
}

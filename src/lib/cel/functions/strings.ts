import { lengthOf } from "../code-points.ts";
import { type Overloads, overload } from "../overload.ts";
import { CelError } from "../source-errors.ts";
import { ArrayList, type ListValue, sizeOfValue, type Value } from "../values.ts";
import { formatText } from "./text-format.ts";
import { traversalCost } from "./traversal-cost.ts";

const TRAVERSAL = 0.1;
const traverse = ([text = null]: readonly Value[]): number => sizeOfValue(text) * TRAVERSAL;
const search = ([text = ""]: readonly Value[]): number => traversalCost(text);
const rebuild = ([text = null]: readonly Value[]): number => 2 * sizeOfValue(text) * TRAVERSAL;
const build = (_: readonly Value[], result: Value): number => 2 * sizeOfValue(result) * TRAVERSAL;

/** Results beyond this are refused: repeated replacement would fill the memory. */
const LENGTH_MAX = 32 * 1024 * 1024;

/** Positions are code points; most strings have as many code units. */
function points(text: string): string | string[] {
  return lengthOf(text) === text.length ? text : Array.from(text);
}

function slice(text: string | string[], from: number, to?: number): string {
  return typeof text === "string" ? text.slice(from, to) : text.slice(from, to).join("");
}

function charAt(text: string, index: bigint): string {
  const all = points(text);
  const at = Number(index);
  if (at < 0 || at > all.length) throw new CelError(`index out of range: ${index}`);
  return at === all.length ? "" : (all[at] ?? "");
}

function indexOf(text: string, part: string, offset = 0n): bigint {
  const all = points(text);
  const from = Number(offset);
  if (from < 0 || from >= Math.max(all.length, 1)) {
    if (part !== "" || from > all.length || from < 0) {
      if (from > all.length || from < 0) throw new CelError(`index out of range: ${offset}`);
    }
    if (from === all.length) return part === "" ? BigInt(from) : -1n;
  }
  if (typeof all === "string") return BigInt(all.indexOf(part, from));
  const rest = slice(all, from);
  const found = rest.indexOf(part);
  return found < 0 ? -1n : BigInt(from + lengthOf(rest.slice(0, found)));
}

function lastIndexOf(text: string, part: string, offset?: bigint): bigint {
  const all = points(text);
  if (part === "") return offset ?? BigInt(all.length);
  const from = offset === undefined ? all.length : Number(offset);
  if (offset !== undefined && (from < 0 || from >= all.length)) {
    throw new CelError(`index out of range: ${offset}`);
  }
  const wanted = lengthOf(part);
  const head = slice(all, 0, from + wanted);
  const found = head.lastIndexOf(part);
  return found < 0 ? -1n : BigInt(lengthOf(head.slice(0, found)));
}

function substring(text: string, start: bigint, end?: bigint): string {
  const all = points(text);
  const from = Number(start);
  const to = end === undefined ? all.length : Number(end);
  if (from < 0 || from > all.length) throw new CelError(`index out of range: ${start}`);
  if (to < 0 || to > all.length) throw new CelError(`index out of range: ${end}`);
  if (from > to) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  return slice(all, from, to);
}

function replace(text: string, from: string, to: string, count = -1n): string {
  const pieces = from === "" ? Array.from(text) : text.split(from);
  const all = from === "" ? ["", ...pieces, ""] : pieces;
  if (count < 0n || count >= BigInt(all.length - 1)) return joined(all, to);
  const limit = Number(count);
  if (limit === 0) return text;
  const head = all.slice(0, limit);
  return joined([...head, all.slice(limit).join(from)], to);
}

function joined(pieces: readonly string[], separator: string): string {
  const length = pieces.reduce((sum, piece) => sum + piece.length + separator.length, 0);
  if (length > LENGTH_MAX) throw new CelError(`string is too long: ${length}`);
  return pieces.join(separator);
}

function split(text: string, separator: string, limit = -1n): ListValue {
  if (limit === 0n) return new ArrayList([]);
  const pieces = separator === "" ? Array.from(text) : text.split(separator);
  const most = Number(limit);
  if (most < 0 || pieces.length <= most) return new ArrayList(pieces);
  const rest = pieces.slice(most - 1).join(separator);
  return new ArrayList([...pieces.slice(0, most - 1), rest]);
}

function join(list: ListValue, separator = ""): string {
  const pieces: string[] = [];
  for (const item of list) {
    if (typeof item !== "string") throw new CelError("no such overload");
    pieces.push(item);
  }
  return joined(pieces, separator);
}

const lower = (text: string) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
const upper = (text: string) => text.replace(/[a-z]+/g, (part) => part.toUpperCase());
const SPACES =
  "\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const TRIMMED = new RegExp(`^[${SPACES}]+|[${SPACES}]+$`, "g");

const QUOTED: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

function quote(text: string): string {
  const safe = text.replace(/[\u0007\b\f\n\r\t\v\\"]/g, (each) => QUOTED[each] ?? each);
  return `"${safe}"`;
}

/** The string extensions, as of version 2. */
export const STRINGS: Overloads = [
  overload("string.charAt(int) -> string", charAt),
  overload("string.indexOf(string) -> int", indexOf, search),
  overload("string.indexOf(string, int) -> int", indexOf, search),
  overload("string.lastIndexOf(string) -> int", lastIndexOf, search),
  overload("string.lastIndexOf(string, int) -> int", lastIndexOf, search),
  overload("string.lowerAscii() -> string", lower, traverse),
  overload("string.upperAscii() -> string", upper, traverse),
  overload("string.replace(string, string) -> string", replace, rebuild),
  overload("string.replace(string, string, int) -> string", replace, rebuild),
  overload("string.split(string) -> list<string>", split, rebuild),
  overload("string.split(string, int) -> list<string>", split, rebuild),
  overload("string.substring(int) -> string", substring, traverse),
  overload("string.substring(int, int) -> string", substring, traverse),
  overload("string.trim() -> string", (text: string) => text.replace(TRIMMED, ""), traverse),
  overload("list<string>.join() -> string", join, build),
  overload("list<string>.join(string) -> string", join, build),
  overload("string.format(list<dyn>) -> string", formatText, traverse),
  overload("::strings.quote(string) -> string", quote, traverse),
];

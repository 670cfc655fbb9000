import { compileRegexp, type LinearRegexp } from "../../regexp/regexp.ts";
import { type Overloads, overload } from "../overload.ts";
import { CelError } from "../source-errors.ts";
import { ArrayList, type ListValue, sizeOfValue, type Value } from "../values.ts";

const TRAVERSAL = 0.1;
const REGEXP = 0.25;
const search = ([text = null, pattern = null]: readonly Value[]): number =>
  Math.ceil((1 + sizeOfValue(text)) * TRAVERSAL) * Math.ceil(sizeOfValue(pattern) * REGEXP);

/** Compiled patterns that are kept; expressions rarely use more than a few. */
const KEPT_MAX = 256;

/** `matches` of the standard library, `find` and `findAll` of Kubernetes. */
export function createRegexps(): Overloads {
  const kept = new Map<string, LinearRegexp>();
  const compiled = (pattern: string): LinearRegexp => {
    const known = kept.get(pattern);
    if (known) return known;
    let regexp: LinearRegexp;
    try {
      regexp = compileRegexp(pattern);
    } catch (error) {
      throw new CelError((error as Error).message);
    }
    if (kept.size >= KEPT_MAX) kept.clear();
    kept.set(pattern, regexp);
    return regexp;
  };
  const matches = (text: string, pattern: string) => compiled(pattern).test(text);
  const find = (text: string, pattern: string) => {
    const found = compiled(pattern).find(text);
    return found ? text.slice(...found) : "";
  };
  const findAll = (text: string, pattern: string, limit = -1n) => {
    return allMatches(compiled(pattern), text, Number(limit));
  };
  return [
    overload("matches(string, string) -> bool", matches, search),
    overload("string.matches(string) -> bool", matches, search),
    overload("string.find(string) -> string", find, search),
    overload("string.findAll(string) -> list<string>", findAll, search),
    overload("string.findAll(string, int) -> list<string>", findAll, search),
  ];
}

function allMatches(regexp: LinearRegexp, text: string, limit: number): ListValue {
  const all: string[] = [];
  let previousEnd = -1;
  for (let at = 0; at <= text.length && all.length !== limit; ) {
    const found = regexp.find(text, at);
    if (!found) break;
    const [start, end] = found;
    const isEmpty = start === end;
    // An empty match right after another one does not count, as in Go.
    if (!isEmpty || start !== previousEnd) all.push(text.slice(start, end));
    previousEnd = end;
    at = isEmpty ? end + 1 : end;
  }
  return new ArrayList(all);
}

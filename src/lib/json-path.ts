/** The text is no JSON path, or uses a part of the language that custom resources do not need. */
export class JsonPathError extends Error {
  override readonly name = "JsonPathError";
}

/** One step from values to values. */
type Step =
  | { kind: "member"; name: string }
  | { kind: "index"; at: number }
  | { kind: "all" }
  | { kind: "filter"; path: readonly Step[]; operator: "==" | "!="; value: unknown };

/** A parsed path. */
export interface JsonPath {
  readonly steps: readonly Step[];
}

const MEMBER = /\.((?:\\.|[^.[\]\\])+)/y;
const QUOTED = /\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/y;
const INDEX = /\[(-?[0-9]+)\]/y;
const ALL = /\[\*\]|\.\*/y;
/** No two of its parts can match the same text, so that no text makes it try many ways. */
const FILTER =
  /\[\?\(\s*@((?:\.(?:\\.|[^\s=!()[\].\\])+|\['[^']*'\]|\[-?[0-9]+\])+)\s*(==|!=)([^)]+)\)\]/y;

/**
 * Parses the paths of custom resource columns, scale and selectable fields: ".spec.replicas",
 * ".status.conditions[?(@.type==\"Ready\")].status", ".metadata.labels['a.b/c']", "[0]", "[*]".
 * A surrounding "{ }" and a leading "$" are optional. @throws JsonPathError
 */
export function parseJsonPath(text: string): JsonPath {
  const trimmed = text
    .trim()
    .replace(/^\{(.*)\}$/s, "$1")
    .replace(/^\$/, "");
  const steps: Step[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(trimmed) ?? undefined;
    if (found) at = pattern.lastIndex;
    return found;
  };
  while (at < trimmed.length) {
    let found = take(ALL);
    if (found) {
      steps.push({ kind: "all" });
      continue;
    }
    found = take(MEMBER) ?? take(QUOTED);
    if (found) {
      const name = (found[1] ?? found[2] ?? "").replace(/\\(.)/g, "$1");
      steps.push({ kind: "member", name });
      continue;
    }
    found = take(INDEX);
    if (found) {
      steps.push({ kind: "index", at: Number(found[1]) });
      continue;
    }
    found = take(FILTER);
    if (!found)
      throw new JsonPathError(`Cannot read JSON path "${text}" at "${trimmed.slice(at)}"`);
    const [, path = "", operator, value = ""] = found;
    steps.push({
      kind: "filter",
      path: parseJsonPath(path).steps,
      operator: operator === "!=" ? "!=" : "==",
      value: parseLiteral(value.trim()),
    });
  }
  return { steps };
}

function parseLiteral(text: string): unknown {
  const quoted = /^'(.*)'$/s.exec(text);
  if (quoted) return quoted[1];
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new JsonPathError(`Cannot read "${text}" as a literal of a JSON path`);
  }
}

/** All values that the path leads to, in order; none when something on the way is absent. */
export function evaluateJsonPath(path: JsonPath, value: unknown): unknown[] {
  return follow(path.steps, value);
}

function follow(steps: readonly Step[], value: unknown): unknown[] {
  let values = [value];
  for (const step of steps) values = values.flatMap((each) => takeStep(step, each));
  return values;
}

function takeStep(step: Step, value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if (step.kind === "member") {
    if (Array.isArray(value) || !Object.hasOwn(value, step.name)) return [];
    return [(value as Record<string, unknown>)[step.name]];
  }
  const items: unknown[] = Array.isArray(value) ? value : Object.values(value);
  if (step.kind === "all") return items;
  if (!Array.isArray(value)) return [];
  if (step.kind === "index") {
    const item = items.at(step.at);
    return item === undefined ? [] : [item];
  }
  return items.filter((item) => {
    const [found] = follow(step.path, item);
    return (found === step.value) === (step.operator === "==");
  });
}

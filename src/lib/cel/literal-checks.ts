import { compileRegexp } from "../regexp/regexp.ts";
import type { Node } from "./ast.ts";
import type { Checked } from "./checker.ts";
import { parseDuration, parseTimestamp } from "./functions/time-text.ts";
import type { Issue } from "./source-errors.ts";
import { sameType, type Type, typeText, unwrapOptional } from "./types.ts";

/**
 * What Kubernetes refuses beyond types: texts that functions are sure to refuse, and literals of
 * lists and maps that hold values of several types.
 */
export function literalIssues(root: Node, checked: Checked): Issue[] {
  const issues: Issue[] = [];
  const visit = (node: Node, mixed: boolean): void => {
    const problem = node.kind === "call" ? literalProblem(node.name, node.args) : undefined;
    if (problem) issues.push(problem);
    const isLiteral = node.kind === "list" || node.kind === "map";
    if (isLiteral && !mixed) issues.push(...mixtures(node, checked));
    const inside = isLiteral ? mixed : node.kind === "call" && node.name === "format";
    for (const child of childrenOf(node)) visit(child, inside);
  };
  visit(root, false);
  return issues;
}

function mixtures(node: Node, checked: Checked): Issue[] {
  const held = (value: Node, optional: boolean): [Node, Type] => {
    const type = checked.typeOf(value);
    return [value, optional ? (unwrapOptional(type) ?? type) : type];
  };
  if (node.kind === "list") {
    return mismatch(node.items.map(({ value, optional }) => held(value, optional)));
  }
  if (node.kind !== "map") return [];
  const keys = node.entries.map(({ key }) => held(key, false));
  const values = node.entries.map(({ value, optional }) => held(value, optional));
  return [...mismatch(keys), ...mismatch(values)];
}

function mismatch(items: readonly (readonly [Node, Type])[]): Issue[] {
  const [first] = items;
  const wrong = first ? items.find(([, type]) => !sameType(type, first[1])) : undefined;
  if (!first || !wrong) return [];
  const texts = [first[1], wrong[1]].map(typeText);
  return [{ at: wrong[0].at, message: `expected type '${texts[0]}' but found '${texts[1]}'` }];
}

function literalProblem(name: string, args: readonly Node[]): Issue | undefined {
  const [arg] = args;
  if (args.length !== 1 || arg?.kind !== "literal" || typeof arg.value !== "string")
    return undefined;
  const reads = READERS[name];
  if (!reads || reads(arg.value)) return undefined;
  return { at: arg.at, message: `invalid ${name} argument` };
}

const READERS: Readonly<Record<string, (text: string) => boolean>> = {
  duration: (text) => parseDuration(text) !== undefined,
  timestamp: (text) => parseTimestamp(text) !== undefined,
  matches: (text) => {
    try {
      compileRegexp(text);
      return true;
    } catch {
      return false;
    }
  },
};

/** Nodes directly below one, in the order they are written. */
export function childrenOf(node: Node): Node[] {
  switch (node.kind) {
    case "literal":
    case "ident":
      return [];
    case "select":
      return [node.target];
    case "call":
      return node.target ? [node.target, ...node.args] : node.args;
    case "list":
      return node.items.map(({ value }) => value);
    case "map":
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case "struct":
      return node.fields.map(({ value }) => value);
    case "fold":
      return [node.range, ...(node.filter ? [node.filter] : []), node.step];
  }
}

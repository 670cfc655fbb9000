import { type Type, parseType, typeText } from "./types.ts";
import type { Value } from "./values.ts";

/** A function or method for certain types of arguments. The target of a method comes first. */
export interface Overload {
  readonly name: string;
  readonly member: boolean;
  readonly params: readonly Type[];
  readonly result: Type;
  /** Names of the type parameters. */
  readonly typeParams: readonly string[];
  /** @throws CelError */
  readonly call: (...args: never[]) => Value;
  /** What a call costs; 1 when absent. */
  readonly cost?: Cost | undefined;
}

export type Overloads = readonly Overload[];

/** Cost of a call from its arguments and its result. */
export type Cost = (args: readonly Value[], result: Value) => number;

/**
 * Declares an overload: "string.contains(string) -> bool" is a method, "size(list<A>) -> int" a
 * function. A name with a dot in a function stands after "::", as "::sets.contains(...)".
 */
export function overload(
  signature: string,
  call: (...args: never[]) => Value,
  cost?: Cost,
): Overload {
  const { target, name, params, result } = split(signature);
  const types = [...(target ? [target] : []), ...params].map(parseType);
  return {
    name,
    member: target !== undefined,
    params: types,
    result: parseType(result),
    typeParams: [...new Set(signature.match(/\b[A-Z]\b/g) ?? [])],
    call,
    cost,
  };
}

function split(signature: string): {
  target: string | undefined;
  name: string;
  params: string[];
  result: string;
} {
  const open = signature.indexOf("(");
  const close = signature.lastIndexOf(")");
  const head = signature.slice(0, open);
  const result = signature.slice(close + 1).replace(/^\s*->\s*/, "");
  const params = splitParams(signature.slice(open + 1, close));
  if (head.startsWith("::")) return { target: undefined, name: head.slice(2), params, result };
  const dot = head.lastIndexOf(".");
  const member = dot > 0;
  const target = member ? head.slice(0, dot) : undefined;
  return { target, name: member ? head.slice(dot + 1) : head, params, result };
}

function splitParams(text: string): string[] {
  const params: string[] = [];
  let depth = 0;
  let current = "";
  for (const character of text) {
    if (character === "<") depth++;
    if (character === ">") depth--;
    if (character === "," && depth === 0) {
      params.push(current);
      current = "";
    } else current += character;
  }
  if (current.trim() !== "") params.push(current);
  return params.map((param) => param.trim());
}

/** "(int, string)" or "int.(string)", as messages show what a function was applied to. */
export function signatureText(args: readonly Type[], member: boolean): string {
  const texts = args.map((type) => typeText(type));
  if (!member) return `(${texts.join(", ")})`;
  return `${texts[0]}.(${texts.slice(1).join(", ")})`;
}

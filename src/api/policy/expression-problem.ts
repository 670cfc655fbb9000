import type { Environment } from "../../lib/cel/environment.ts";
import { type Program, compile } from "../../lib/cel/program.ts";
import { type Type, typeText } from "../../lib/cel/types.ts";

/** An expression that may be used, or why it may not. */
export interface CheckedExpression {
  program?: Program;
  problem?: string;
}

/** Compiles an expression that must give one of some types. */
export function checkExpression(
  source: string,
  of: { environment: Environment; types?: readonly Type[] },
): CheckedExpression {
  const { environment, types = [] } = of;
  let program: Program;
  try {
    program = compile(source, environment);
  } catch (error) {
    return { problem: `compilation failed: ${(error as Error).message}` };
  }
  const { kind } = program.type;
  const fits = kind === "dyn" || types.some((wanted) => wanted.kind === kind);
  if (fits || types.length === 0) return { program };
  const texts = types.map(shown);
  const wanted = texts.length === 1 ? texts[0] : `one of [${texts.join(" ")}]`;
  return { program, problem: `must evaluate to ${wanted} but got ${shown(program.type)}` };
}

function shown(type: Type): string {
  return type.kind === "null" ? "null_type" : typeText(type);
}

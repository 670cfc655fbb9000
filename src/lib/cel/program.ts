import type { Node } from "./ast.ts";
import { check } from "./checker.ts";
import { Compiler } from "./compiler.ts";
import { estimateCost, type SizeOf } from "./cost-estimate.ts";
import type { Environment } from "./environment.ts";
import { Frame, type Variables } from "./frame.ts";
import { literalIssues } from "./literal-checks.ts";
import { SyntaxIssue } from "./lexer.ts";
import { parse } from "./parser.ts";
import { CelError, formatIssues, type Issue } from "./source-errors.ts";
import type { Type } from "./types.ts";
import type { Value } from "./values.ts";

/** An expression ready to be evaluated any number of times. */
export interface Program {
  readonly source: string;
  readonly root: Node;
  /** What it evaluates to, as far as known. */
  readonly type: Type;
  /** What it costs at most; only known when sizes were given. */
  readonly costMax?: number | undefined;
  /**
   * Evaluates. `limit` bounds the work in the units of the reference implementation, about ten
   * million a second there. @throws CelError for an expression that has no value,
   * CostExceededError beyond the limit
   */
  evaluate(variables: Variables, limit: number): Evaluation;
}

/** A value and what it cost. */
export interface Evaluation {
  readonly value: Value;
  readonly cost: number;
}

/** Why an expression cannot be used. `message` shows every place. */
export class CompileError extends Error {
  override readonly name = "CompileError";
  readonly issues: readonly Issue[];

  constructor(source: string, issues: readonly Issue[]) {
    super(formatIssues(source, issues));
    this.issues = issues;
  }
}

/** Parses, checks, compiles; with sizes, costs are estimated. @throws CompileError */
export function compile(source: string, environment: Environment, sizeOf?: SizeOf): Program {
  try {
    return compileUnguarded(source, environment, sizeOf);
  } catch (error) {
    if (error instanceof SyntaxIssue) throw new CompileError(source, [error]);
    if (error instanceof RangeError) throw new CompileError(source, [TOO_DEEP]);
    throw error;
  }
}

const TOO_DEEP: Issue = { at: 0, message: "expression recursion limit exceeded" };

function compileUnguarded(source: string, environment: Environment, sizeOf?: SizeOf): Program {
  const root = parse(source, environment);
  const checked = check(root, environment);
  const issues = checked.issues.length > 0 ? checked.issues : literalIssues(root, checked);
  if (issues.length > 0) throw new CompileError(source, issues);
  const code = new Compiler(checked).compile(root);
  const evaluate = (variables: Variables, limit: number): Evaluation => {
    const frame = new Frame(variables, limit);
    try {
      return { value: code(frame), cost: frame.cost };
    } catch (error) {
      if (error instanceof RangeError) throw new CelError("expression recursion limit exceeded");
      throw error;
    }
  };
  const costMax = sizeOf && estimateCost(root, { checked, sizeOf }).max;
  return { source, root, type: checked.type, costMax, evaluate };
}

import { childrenOf } from "../../lib/cel/literal-checks.ts";
import type { Node } from "../../lib/cel/ast.ts";
import { type Environment, withVariables } from "../../lib/cel/environment.ts";
import type { SizeOf } from "../../lib/cel/cost-estimate.ts";
import { type CompileError, compile, type Program } from "../../lib/cel/program.ts";
import { optionalOf, type Type } from "../../lib/cel/types.ts";
import type { JSONSchemaProps, ValidationRule } from "../generated/types/apiextensions-v1.ts";
import { judging } from "../policy/stored-expressions.ts";
import { fieldPathOf } from "./field-path.ts";
import { additionalOf, itemsOf } from "./schema-parts.ts";
import { celTypeOf } from "./schema-types.ts";

/** A rule of `x-kubernetes-validations`, ready to be evaluated. */
export interface CompiledRule {
  rule: ValidationRule;
  /** Absent when the rule cannot be compiled: `error` says why. */
  program?: Program;
  error?: string;
  /** Gives the message of a rule that does not hold. */
  message?: Program;
  messageError?: string;
  usesOldSelf: boolean;
  /** What the complaint is about, below the value: "replicas", "ports[http]". */
  fieldPath: string;
}

/** The rules of a schema and of what is below it; parts without rules are left out. */
export interface RuleTree {
  schema: JSONSchemaProps;
  type: Type;
  rules: readonly CompiledRule[];
  properties: ReadonlyMap<string, RuleTree>;
  additional: RuleTree | undefined;
  items: RuleTree | undefined;
}

/** Compiles all rules of a schema; undefined when there are none. */
export function compileRules(
  schema: JSONSchemaProps,
  of: { base: Environment; isRoot: boolean },
): RuleTree | undefined {
  const type = celTypeOf(schema, of.isRoot);
  if (!type) return undefined;
  const { base } = of;
  const below = (inner: JSONSchemaProps | undefined): RuleTree | undefined =>
    inner && compileRules(inner, { base, isRoot: isEmbedded(inner) });
  const properties = new Map<string, RuleTree>();
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const tree = below(property);
    if (tree) properties.set(name, tree);
  }
  const rules = (schema["x-kubernetes-validations"] ?? []).map((rule) => {
    return compileRule(rule, { schema, type, base });
  });
  const additional = below(additionalOf(schema));
  const items = below(itemsOf(schema));
  if (rules.length === 0 && properties.size === 0 && !additional && !items) return undefined;
  return { schema, type, rules, properties, additional, items };
}

function isEmbedded(schema: JSONSchemaProps): boolean {
  return schema["x-kubernetes-embedded-resource"] === true;
}

/** Compiles one rule for values of a type; with sizes, what it costs is estimated. */
export function compileRule(
  rule: ValidationRule,
  of: {
    schema: JSONSchemaProps;
    type: Type;
    base: Environment;
    sizeOf?: SizeOf;
    /** Expressions that are taken as they are; all when absent. */
    stored?: ReadonlySet<string>;
  },
): CompiledRule {
  const { type, base, schema, sizeOf, stored } = of;
  const oldSelf = rule.optionalOldSelf ? optionalOf(type) : type;
  const variables = { self: type, oldSelf };
  const environmentOf = (source: string) =>
    withVariables(stored ? judging(base, { source, stored }) : base, variables);
  const compiled: CompiledRule = { rule, usesOldSelf: false, fieldPath: "" };
  const program = tryCompile(rule.rule, environmentOf(rule.rule), sizeOf);
  if (program instanceof Error) compiled.error = `compilation failed: ${program.message}`;
  else if (program.type.kind !== "bool") {
    compiled.error = "cel expression must evaluate to a bool";
  } else {
    compiled.program = program;
    compiled.usesOldSelf = names(program.root, "oldSelf");
  }
  if (rule.messageExpression && !compiled.error) {
    const source = rule.messageExpression;
    compileMessage(compiled, tryCompile(source, environmentOf(source), sizeOf));
  }
  if (rule.fieldPath) compiled.fieldPath = fieldPathOf(rule.fieldPath, schema)?.path ?? "";
  return compiled;
}

function compileMessage(compiled: CompiledRule, message: Program | CompileError): void {
  if (message instanceof Error) {
    compiled.messageError = `messageExpression compilation failed: ${message.message}`;
  } else if (message.type.kind !== "string") {
    compiled.messageError = "messageExpression must evaluate to a string";
  } else compiled.message = message;
}

function tryCompile(
  source: string,
  environment: Environment,
  sizeOf?: SizeOf,
): Program | CompileError {
  try {
    return compile(source, environment, sizeOf);
  } catch (error) {
    return error as CompileError;
  }
}

function names(node: Node, name: string): boolean {
  if (node.kind === "ident") return node.name === name;
  return childrenOf(node).some((child) => names(child, name));
}

import type { Variables } from "../../lib/cel/frame.ts";
import { valueOfJson } from "../../lib/cel/json-values.ts";
import { EXPRESSION_COST_MAX } from "../../lib/cel/kubernetes-environment.ts";
import type { Program } from "../../lib/cel/program.ts";
import { CelError, CostExceededError } from "../../lib/cel/source-errors.ts";
import { Optional, type Value } from "../../lib/cel/values.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import type { ValidationRule } from "../generated/types/apiextensions-v1.ts";
import type { StatusCause } from "../status.ts";
import type { CompiledRule, RuleTree } from "./rule-compiler.ts";
import { isJsonObject, itemBefore } from "./schema-parts.ts";

/** What all rules of an object may cost together. */
const OBJECT_COST_MAX = 10_000_000;
const MESSAGE_BYTES_MAX = 5 * 1024;
const OUT_OF_BUDGET =
  "validation failed due to running out of cost budget, no further validation rules will be run";

/** A value among others: where it stands, and what it was where that can be told. */
interface Place {
  path: string;
  old: unknown;
  /** The nearest value around this one that can be compared with its old state equals it. */
  unchanged: boolean;
}

/** Rules of an object that do not hold. Rules about what did not change do not count. */
export function evaluateRules(tree: RuleTree, value: unknown, old?: unknown): StatusCause[] {
  const evaluation = new Evaluation();
  evaluation.visit(tree, value, { path: "", old, unchanged: false });
  return evaluation.causes;
}

/** The rest of a budget went; what was found so far counts. */
class OutOfBudget extends Error {}

class Evaluation {
  readonly causes: StatusCause[] = [];
  #left = OBJECT_COST_MAX;

  visit(tree: RuleTree, value: unknown, place: Place): void {
    try {
      this.#node(tree, value, place);
    } catch (error) {
      if (!(error instanceof OutOfBudget)) throw error;
    }
  }

  #node(tree: RuleTree, value: unknown, place: Place): void {
    if (value === null || value === undefined) return;
    const { path, old } = place;
    const unchanged =
      place.unchanged || (old !== undefined && old !== null && deepEqual(value, old));
    const here = { path, old, unchanged };
    if (tree.rules.length > 0) this.#rules(tree, value, here);
    if (Array.isArray(value)) this.#items(tree, value, here);
    else if (isJsonObject(value)) this.#members(tree, value, here);
  }

  #items(tree: RuleTree, value: readonly unknown[], { path, old, unchanged }: Place): void {
    if (!tree.items) return;
    const before = itemBefore(tree.schema, old);
    for (const [at, item] of value.entries()) {
      this.#node(tree.items, item, { path: `${path}[${at}]`, old: before(item), unchanged });
    }
  }

  #members(tree: RuleTree, value: Record<string, unknown>, at: Place): void {
    const before = isJsonObject(at.old) ? at.old : undefined;
    const { unchanged } = at;
    for (const [key, inner] of Object.entries(value)) {
      const property = tree.properties.get(key);
      const old = before?.[key];
      if (property) {
        const path = at.path ? `${at.path}.${key}` : key;
        this.#node(property, inner, { path, old, unchanged });
      } else if (tree.additional) {
        this.#node(tree.additional, inner, { path: `${at.path}[${key}]`, old, unchanged });
      }
    }
  }

  #rules(tree: RuleTree, value: unknown, place: Place): void {
    const { type, schema } = tree;
    const { old, unchanged } = place;
    const isNew = old === undefined || old === null;
    const variables = lazyVariables(() => valueOfJson(value, type), {
      old: isNew ? undefined : () => valueOfJson(old, type),
    });
    for (const compiled of tree.rules) {
      const { rule, usesOldSelf } = compiled;
      if (usesOldSelf && isNew && !rule.optionalOldSelf) continue;
      // A rule may become stricter: what was there before and did not change stays valid.
      if (!usesOldSelf && unchanged) continue;
      const shown = { path: place.path, type: schema.type ?? "" };
      if (!compiled.program) {
        this.#invalid(shown, `rule compile error: ${compiled.error}`);
        continue;
      }
      const bound = rule.optionalOldSelf ? variables.optional : variables.plain;
      const holds = this.#holds(compiled.program, { rule, variables: bound, shown });
      if (holds === false) this.#refuse(compiled, { variables: bound, shown });
    }
  }

  /** Whether a rule holds; undefined after a complaint that it cannot be told. */
  #holds(
    program: Program,
    of: { rule: ValidationRule; variables: Variables; shown: Shown },
  ): boolean | undefined {
    const { rule, variables, shown } = of;
    const text = (rule.message ?? rule.rule).trim();
    try {
      return this.#evaluate(program, variables) === true;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof CostExceededError) {
        if (this.#left <= EXPRESSION_COST_MAX) this.#invalid(shown, OUT_OF_BUDGET);
        else {
          const why = "no further validation rules will be run due to call cost exceeds limit";
          this.#invalid(shown, `'${message}': ${why} for rule: ${text}`);
        }
        throw new OutOfBudget(message, { cause: error });
      }
      if (!(error instanceof CelError)) throw error;
      if (message.startsWith("no such overload")) {
        const why =
          "call arguments did not match a supported operator, function or macro signature";
        this.#invalid(shown, `'${message}': ${why} for rule: ${text}`);
      } else this.#invalid(shown, `${message} evaluating rule: ${text}`);
      return undefined;
    }
  }

  #evaluate(program: Program, variables: Variables): Value {
    const limit = Math.min(EXPRESSION_COST_MAX, this.#left);
    const { value, cost } = program.evaluate(variables, limit);
    this.#left -= cost;
    return value;
  }

  #refuse(compiled: CompiledRule, of: { variables: Variables; shown: Shown }): void {
    const { rule, fieldPath } = compiled;
    const { path, type } = of.shown;
    const detail = this.#message(compiled, of.variables);
    const between = path && fieldPath && !fieldPath.startsWith("[") ? "." : "";
    const field = `${path}${between}${fieldPath}` || "<nil>";
    const value = JSON.stringify(type);
    switch (rule.reason) {
      case "FieldValueForbidden":
        this.causes.push({ reason: rule.reason, message: `Forbidden: ${detail}`, field });
        return;
      case "FieldValueRequired":
        this.causes.push({ reason: rule.reason, message: `Required value: ${detail}`, field });
        return;
      case "FieldValueDuplicate":
        this.causes.push({ reason: rule.reason, message: `Duplicate value: ${value}`, field });
        return;
      default:
        this.#invalid({ path: field, type }, detail);
    }
  }

  #message({ message, rule }: CompiledRule, variables: Variables): string {
    const fallback = rule.message?.trim() || `failed rule: ${rule.rule.trim()}`;
    if (!message) return fallback;
    try {
      const value = this.#evaluate(message, variables);
      const text = typeof value === "string" ? value.trim() : "";
      return text === "" || text.length > MESSAGE_BYTES_MAX || text.includes("\n")
        ? fallback
        : text;
    } catch (error) {
      if (error instanceof CelError || error instanceof CostExceededError) return fallback;
      throw error;
    }
  }

  #invalid({ path, type }: Shown, detail: string): void {
    const message = `Invalid value: ${JSON.stringify(type)}: ${detail}`;
    this.causes.push({ reason: "FieldValueInvalid", message, field: path || "<nil>" });
  }
}

/** The variables of rules; their values are made when a rule first reads them. */
function lazyVariables(
  makeSelf: () => Value,
  { old: makeOld }: { old: (() => Value) | undefined },
): { plain: Variables; optional: Variables } {
  let self: Value | undefined;
  let before: Value | undefined;
  const selfValue = (): Value => (self ??= makeSelf());
  const oldValue = (): Value | undefined => (before ??= makeOld?.());
  return {
    plain: {
      get self() {
        return selfValue();
      },
      get oldSelf() {
        return oldValue();
      },
    },
    optional: {
      get self() {
        return selfValue();
      },
      get oldSelf() {
        return new Optional(oldValue());
      },
    },
  };
}

/** What complaints show of a value: where it stands and of which type it is. */
interface Shown {
  path: string;
  type: string;
}

import type { Variables } from "../../../lib/cel/frame.ts";
import { valueOfJson } from "../../../lib/cel/json-values.ts";
import { CelError } from "../../../lib/cel/source-errors.ts";
import { DYN } from "../../../lib/cel/types.ts";
import { MapValue, typeOfValue, type Value } from "../../../lib/cel/values.ts";
import type { CompiledPolicy, CompiledValidation } from "./compiled-policy.ts";
import {
  type Budget,
  evaluate,
  evaluateConditions,
  type Expression,
  type Failure,
} from "./policy-evaluation.ts";
import type { PolicyInput } from "./policy-input.ts";

/** What all checks of a policy may cost together, and all its audit annotations. */
const POLICY_COST_MAX = 10_000_000;
const MESSAGE_BYTES_MAX = 5 * 1024;

/** A check that did not hold, or that failed under a policy which does not ignore failures. */
export interface Denial {
  /** Place of the check in the policy. */
  index: number;
  message: string;
  reason: string | undefined;
}

/** What a policy says of a request. */
export interface Decisions {
  denials: readonly Denial[];
  annotations: readonly { key: string; value: string }[];
  /** Failures of audit annotations: they deny whatever the binding's actions are. */
  annotationErrors: readonly string[];
}

const NOTHING: Decisions = { denials: [], annotations: [], annotationErrors: [] };

/** Evaluates a policy for a request and one of its parameters. */
export function decide(
  policy: CompiledPolicy,
  of: { input: PolicyInput; param: object | null; ignoresFailures: boolean },
): Decisions {
  const budget = { left: POLICY_COST_MAX };
  const variables = new PolicyVariables(of.input, { policy, param: of.param, budget });
  const failed = (message: string): Decisions => {
    if (of.ignoresFailures) return NOTHING;
    return { ...NOTHING, denials: [{ index: 0, message, reason: undefined }] };
  };
  const matched = evaluateConditions(policy.conditions, variables);
  if (matched.error !== undefined) return failed(matched.error);
  if (!matched.matches) return NOTHING;
  const checked = check(policy, variables, budget);
  if ("outOfBudget" in checked) return failed(checked.message);
  const { ignoresFailures } = of;
  const denials = denialsOf(checked.outcomes, { variables, budget, ignoresFailures });
  const annotated = annotate(policy, variables, ignoresFailures);
  if ("outOfBudget" in annotated) return failed(annotated.message);
  return { denials, ...annotated };
}

/** A check that did not hold, or why it failed. */
interface Outcome {
  index: number;
  validation: CompiledValidation;
  failure: Failure | undefined;
}

/** All checks, before any message; a failure where they cost more than there is. */
function check(
  policy: CompiledPolicy,
  variables: Variables,
  budget: Budget,
): { outcomes: readonly Outcome[] } | Failure {
  const outcomes: Outcome[] = [];
  for (const [index, validation] of policy.validations.entries()) {
    const result = evaluate(validation.check, variables, budget);
    if (!("value" in result)) {
      if (result.outOfBudget) return result;
      outcomes.push({ index, validation, failure: result });
    } else if (result.value !== true) outcomes.push({ index, validation, failure: undefined });
  }
  return { outcomes };
}

/** Messages have what the checks left; where that is too little, those without one fail. */
function denialsOf(
  outcomes: readonly Outcome[],
  of: { variables: Variables; budget: Budget; ignoresFailures: boolean },
): Denial[] {
  const { variables, budget, ignoresFailures } = of;
  const denials: Denial[] = [];
  let dear: string | undefined;
  const texts = outcomes.map(({ validation, failure }) => {
    if (failure || dear !== undefined) return "";
    const text = messageOf(validation, variables, budget);
    if (typeof text === "string") return text;
    dear = `failed messageExpression: ${text.message}`;
    return "";
  });
  for (const [at, { index, validation, failure }] of outcomes.entries()) {
    const error = failure?.message ?? dear;
    if (error === undefined) {
      denials.push({ index, message: texts[at] ?? "", reason: validation.reason });
    } else if (!ignoresFailures) denials.push({ index, message: error, reason: undefined });
  }
  return denials;
}

function messageOf(
  { messageExpression, message, check: { source } }: CompiledValidation,
  variables: Variables,
  budget: Budget,
): string | Failure {
  if (messageExpression) {
    const result = evaluate(messageExpression, variables, budget);
    if ("outOfBudget" in result && result.outOfBudget) return result;
    const text = "value" in result && typeof result.value === "string" ? result.value.trim() : "";
    const isShort = Buffer.byteLength(text) <= MESSAGE_BYTES_MAX;
    if (text !== "" && isShort && !text.includes("\n")) return text;
  }
  return message?.trim() || `failed expression: ${source.trim()}`;
}

function annotate(
  policy: CompiledPolicy,
  variables: Variables,
  ignoresFailures: boolean,
): Pick<Decisions, "annotations" | "annotationErrors"> | Failure {
  const annotations: { key: string; value: string }[] = [];
  const annotationErrors: string[] = [];
  const budget = { left: POLICY_COST_MAX };
  for (const { key, value: expression } of policy.auditAnnotations) {
    const result = evaluate(expression, variables, budget);
    if (!("value" in result)) {
      if (result.outOfBudget) return result;
      annotationErrors.push(result.message);
    } else if (typeof result.value === "string") {
      const value = result.value.trim();
      if (value !== "") annotations.push({ key, value });
    } else if (result.value !== null) {
      annotationErrors.push(
        `valueExpression '${expression.source}' resulted in unsupported return type: ` +
          `${typeOfValue(result.value)}. Return type must be either string or null.`,
      );
    }
  }
  return { annotations, annotationErrors: ignoresFailures ? [] : annotationErrors };
}

/** The variables of a request with those that a policy adds: its parameter and its own. */
class PolicyVariables {
  readonly variables: MapValue;
  readonly #input: PolicyInput;
  readonly #param: object | null;
  #params: Value | undefined;

  constructor(
    input: PolicyInput,
    of: { policy: CompiledPolicy; param: object | null; budget: Budget },
  ) {
    this.#input = input;
    this.#param = of.param;
    this.variables = new LazyVariables(of.policy.variables, { scope: this, budget: of.budget });
  }

  [name: string]: Value | undefined;

  get params(): Value {
    return (this.#params ??= valueOfJson(this.#param, DYN));
  }

  get object(): Value {
    return this.#input.object;
  }

  get oldObject(): Value {
    return this.#input.oldObject;
  }

  get request(): Value {
    return this.#input.request;
  }

  get namespaceObject(): Value {
    return this.#input.namespaceObject;
  }

  get authorizer(): Value {
    return this.#input.authorizer;
  }

  get "authorizer.requestResource"(): Value {
    return this.#input["authorizer.requestResource"];
  }
}

/** `variables` of a policy: each is evaluated when it is first used, at most once. */
class LazyVariables extends MapValue {
  readonly #expressions: ReadonlyMap<string, Expression>;
  readonly #scope: Variables;
  readonly #budget: Budget;
  readonly #known = new Map<string, { value: Value } | { message: string }>();

  constructor(
    expressions: ReadonlyMap<string, Expression>,
    of: { scope: Variables; budget: Budget },
  ) {
    super();
    this.#expressions = expressions;
    this.#scope = of.scope;
    this.#budget = of.budget;
  }

  get size(): number {
    return this.#expressions.size;
  }

  keys(): Iterable<Value> {
    return this.#expressions.keys();
  }

  /** @throws CelError when the variable has no value */
  get(key: Value): Value | undefined {
    const name = typeof key === "string" ? key : "";
    const expression = this.#expressions.get(name);
    if (!expression) return undefined;
    let result = this.#known.get(name);
    if (!result) this.#known.set(name, (result = this.#evaluate(expression)));
    if ("value" in result) return result.value;
    throw new CelError(`composited variable "${name}" fails to evaluate: ${result.message}`);
  }

  #evaluate(expression: Expression): { value: Value } | { message: string } {
    const result = evaluate(expression, this.#scope, this.#budget);
    const prefix = `expression '${expression.source}' resulted in error: `;
    if ("value" in result || !result.message.startsWith(prefix)) return result;
    return { message: result.message.slice(prefix.length) };
  }
}

import { labelValueErrors, qualifiedNameErrors } from "./names.ts";

/** Labels of an object. */
export type Labels = Readonly<Record<string, string>>;

/** One condition on labels. `values` is empty for Exists and DoesNotExist. */
export interface LabelRequirement {
  key: string;
  operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
  values: readonly string[];
}

/** Conditions that must all hold; none at all matches everything. */
export type LabelRequirements = readonly LabelRequirement[];

/** `metav1.LabelSelector`. */
export interface LabelSelectorSpec {
  matchLabels?: Labels;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

/** The text or object is no selector. */
export class LabelSelectorError extends Error {
  override readonly name = "LabelSelectorError";
}

const TOKEN = /\s*(!=|==|[=!,()<>]|[^\s=!,()<>]+)/y;
const SYMBOL = /^(!=|==|[=!,()<>])$/;
const OPERATORS = "in, notin, =, ==, !=, gt, lt";

/** Cursor over the tokens of a selector; the token after the last is "". */
interface Tokens {
  peek(): string;
  next(): string;
}

function tokenize(text: string): Tokens {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found; found = TOKEN.exec(text)) tokens.push(found[1] ?? "");
  let at = 0;
  return { peek: () => tokens[at] ?? "", next: () => tokens[at++] ?? "" };
}

/**
 * Parses the grammar of `?labelSelector=`: `a=b,c!=d,e in (x,y),f notin (z),g,!h,i>1`.
 * @throws LabelSelectorError
 */
export function parseLabelSelector(text: string): LabelRequirements {
  const tokens = tokenize(text);
  const requirements: LabelRequirement[] = [];
  const first = tokens.peek();
  if (first === "") return requirements;
  if (!isStart(first)) throw misplaced(first, "!, identifier, or 'end of string'");
  for (;;) {
    requirements.push(parseRequirement(tokens));
    const separator = tokens.next();
    if (separator === "") return requirements;
    if (separator !== ",") throw misplaced(separator, "',' or 'end of string'");
    if (!isStart(tokens.peek())) throw misplaced(tokens.peek(), "identifier after ','");
  }
}

function parseRequirement(tokens: Tokens): LabelRequirement {
  const negated = tokens.peek() === "!";
  if (negated) tokens.next();
  const key = tokens.next();
  if (key === "" || SYMBOL.test(key)) throw unexpected(key, "identifier");
  checkKey(key);
  const ahead = tokens.peek();
  if (negated || ahead === "" || ahead === ",") {
    return { key, operator: negated ? "DoesNotExist" : "Exists", values: [] };
  }
  const sign = tokens.next();
  switch (sign) {
    case "=":
    case "==":
      return requirement(key, "In", [parseValue(tokens)]);
    case "!=":
      return requirement(key, "NotIn", [parseValue(tokens)]);
    case ">":
      return requirement(key, "Gt", [parseValue(tokens)]);
    case "<":
      return requirement(key, "Lt", [parseValue(tokens)]);
    case "in":
      return requirement(key, "In", parseSet(tokens));
    case "notin":
      return requirement(key, "NotIn", parseSet(tokens));
    default:
      throw unexpected(sign, OPERATORS);
  }
}

/** A value may be empty: `a=` and `a=,b=c` ask for the empty string. */
function parseValue(tokens: Tokens): string {
  const ahead = tokens.peek();
  if (ahead === "" || ahead === ",") return "";
  if (SYMBOL.test(ahead)) throw unexpected(ahead, "identifier");
  return tokens.next();
}

function parseSet(tokens: Tokens): string[] {
  const open = tokens.next();
  if (open !== "(") throw unreadable(`found '${open}' expected: '('`);
  const values: string[] = [];
  for (;;) {
    const ahead = tokens.peek();
    if (ahead === "," || ahead === ")") values.push("");
    else if (ahead === "" || SYMBOL.test(ahead)) throw unexpected(ahead, "',', ')' or identifier");
    else values.push(tokens.next());
    const separator = tokens.next();
    if (separator === ")") return [...new Set(values)].sort();
    if (separator !== ",") throw unexpected(separator, "',' or ')'");
  }
}

/** Whether a requirement may begin so. */
function isStart(token: string): boolean {
  return token === "!" || (token !== "" && !SYMBOL.test(token));
}

/** What may not stand between requirements. */
function misplaced(found: string, expected: string): LabelSelectorError {
  return new LabelSelectorError(`found '${found}', expected: ${expected}`);
}

/** What may not stand within one. */
function unexpected(found: string, expected: string): LabelSelectorError {
  return unreadable(`found '${found}', expected: ${expected}`);
}

function unreadable(why: string): LabelSelectorError {
  return new LabelSelectorError(`unable to parse requirement: ${why}`);
}

function checkKey(key: string): void {
  const complaints = qualifiedNameErrors(key);
  if (complaints.length > 0) {
    const why = complaints.join("; ");
    // The path that is not there is upstream's.
    throw unreadable(`<nil>: Invalid value: "${key}": ${why}`);
  }
}

function requirement(
  key: string,
  operator: LabelRequirement["operator"],
  values: readonly string[],
): LabelRequirement {
  if (operator === "Gt" || operator === "Lt") {
    if (!/^[+-]?[0-9]+$/.test(values[0] ?? "")) {
      throw unreadable(
        `values[0]: Invalid value: "${values[0]}": for 'Gt', 'Lt' operators, ` +
          "the value must be an integer",
      );
    }
    return { key, operator, values };
  }
  for (const [at, value] of values.entries()) {
    const complaints = labelValueErrors(value);
    if (complaints.length > 0) {
      const why = complaints.join("; ");
      throw unreadable(`values[${at}][${key}]: Invalid value: "${value}": ${why}`);
    }
  }
  return { key, operator, values };
}

const SPEC_OPERATORS: readonly string[] = ["In", "NotIn", "Exists", "DoesNotExist"];

/**
 * The conditions of a selector object. An empty selector matches everything, an absent one
 * nothing: that is `undefined`. @throws LabelSelectorError for an unknown operator
 */
export function compileLabelSelector(
  selector: LabelSelectorSpec | null | undefined,
): LabelRequirements | undefined {
  if (!selector) return undefined;
  const requirements: LabelRequirement[] = [];
  const { matchLabels, matchExpressions } = selector;
  for (const key in matchLabels) {
    requirements.push({ key, operator: "In", values: [matchLabels[key] ?? ""] });
  }
  for (const { key, operator, values = [] } of matchExpressions ?? []) {
    if (!SPEC_OPERATORS.includes(operator)) {
      throw new LabelSelectorError(`"${operator}" is not a valid label selector operator`);
    }
    requirements.push({ key, operator: operator as LabelRequirement["operator"], values });
  }
  return requirements;
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt": {
      if (value === undefined || !/^[+-]?[0-9]+$/.test(value)) return false;
      const [left, right] = [Number(value), Number(values[0])];
      return operator === "Gt" ? left > right : left < right;
    }
  }
}

const NO_LABELS: Labels = {};

/** Whether all conditions hold. `undefined` conditions match nothing, absent labels are none. */
export function matchesLabels(
  requirements: LabelRequirements | undefined,
  labels: Labels | null | undefined,
): boolean {
  if (!requirements) return false;
  const present = labels ?? NO_LABELS;
  return requirements.every((requirement) => holds(requirement, present));
}

/** Whether a selector object matches; see `compileLabelSelector`. */
export function matchesSelector(
  selector: LabelSelectorSpec | null | undefined,
  labels: Labels | null | undefined,
): boolean {
  return matchesLabels(compileLabelSelector(selector), labels);
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const [first = ""] = values;
  const set = `(${values.join(",")})`;
  switch (operator) {
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
    case "In":
      return values.length === 1 ? `${key}=${first}` : `${key} in ${set}`;
    case "NotIn":
      return values.length === 1 ? `${key}!=${first}` : `${key} notin ${set}`;
    case "Gt":
      return `${key}>${first}`;
    case "Lt":
      return `${key}<${first}`;
  }
}

/** The text that `parseLabelSelector` reads back, sorted by key. */
export function formatLabelSelector(requirements: LabelRequirements): string {
  return requirements
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(formatRequirement)
    .join(",");
}

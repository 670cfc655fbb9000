import type { FieldErrors } from "../validation/field-errors.ts";

/** The most one expression may cost by estimate, for all values of an object together. */
const EXPRESSION_MAX = 10_000_000;
/** The most all expressions of one version of a definition may cost together. */
const TOTAL_MAX = 100_000_000;
/** So many expressions are blamed for a total that is too high. */
const BLAMED_MAX = 4;
const HELP =
  "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, " +
  "maps, and strings are declared)";

/** Estimated costs of the rules of one schema. What is too dear is complained about. */
export class RuleCosts {
  readonly #errors: FieldErrors;
  #total = 0;
  readonly #dear: { field: string; cost: number }[] = [];

  constructor(errors: FieldErrors) {
    this.#errors = errors;
  }

  rule(field: string, cost: number): void {
    this.#count(field, { cost, name: "estimated rule cost" });
  }

  message(field: string, cost: number): void {
    this.#count(field, { cost, name: "estimated messageExpression cost" });
  }

  /** The sum of all, after the last one. */
  total(field: string): void {
    if (this.#total <= TOTAL_MAX) return;
    const dearest = this.#dear.toSorted((a, b) => b.cost - a.cost).slice(0, BLAMED_MAX);
    for (const each of dearest) {
      const why =
        "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
      this.#errors.forbidden(each.field, why);
    }
    const name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
    this.#errors.forbidden(field, tooDear(name, this.#total / TOTAL_MAX));
  }

  #count(field: string, { cost, name }: { cost: number; name: string }): void {
    if (cost > EXPRESSION_MAX) this.#errors.forbidden(field, tooDear(name, cost / EXPRESSION_MAX));
    this.#total += cost;
    if (cost >= TOTAL_MAX / 100) this.#dear.push({ field, cost });
  }
}

function tooDear(name: string, times: number): string {
  let factor = "more than 100x";
  if (times < 1.5) factor = `${times.toFixed(6)}x`;
  else if (times <= 100) factor = `${times.toFixed(1)}x`;
  return `${name} exceeds budget by factor of ${factor} ${HELP}`;
}

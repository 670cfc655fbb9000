import { CostExceededError } from "./source-errors.ts";
import type { Value } from "./values.ts";

/** Values of the variables of an expression, by name. A getter makes one lazy. */
export type Variables = Readonly<Record<string, Value | undefined>>;

/** One evaluation: its variables, those that macros bind, and what it has cost so far. */
export class Frame {
  readonly variables: Variables;
  readonly locals: Value[] = [];
  readonly limit: number;
  cost = 0;

  constructor(variables: Variables, limit: number) {
    this.variables = variables;
    this.limit = limit;
  }

  /** @throws CostExceededError */
  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.limit) throw new CostExceededError();
  }
}

/** A compiled node. @throws CelError, CostExceededError */
export type Code = (frame: Frame) => Value;

import type { FieldErrors } from "./field-errors.ts";
import type { NameRule } from "./metadata.ts";

/** Rules of one kind beside those of `metadata`. */
export interface KindRules<T> {
  /** Names; a DNS subdomain when absent. */
  nameRule?: NameRule;
  /** A new object, or the new state of one. */
  validate?(errors: FieldErrors, object: T): void;
  /** A change; runs after `validate`. */
  validateUpdate?(errors: FieldErrors, object: T, old: T): void;
  /** An update checks only what `validateUpdate` says. */
  updateOnly?: boolean;
}

/** Lets the compiler check the object's type against the rules. */
export function rulesFor<T>(rules: KindRules<T>): KindRules<never> {
  return rules;
}

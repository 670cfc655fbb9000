import type { CommonSpec } from "../common-spec.ts";
import type { FieldErrors } from "./field-errors.ts";
import type { NameRule } from "./metadata.ts";

/** Rules of one kind beside those of `metadata`. */
export interface KindRules<T> {
  /** Names; a DNS subdomain when absent. */
  nameRule?: NameRule;
  /** Metadata is judged only when nothing else is wrong. */
  metadataLast?: boolean;
  /** A new object, or the new state of one; `common` is its spec when others have the same. */
  validate?(errors: FieldErrors, object: T, common?: CommonSpec): void;
  /** What holds for new objects only; runs after `validate`. */
  validateCreate?(errors: FieldErrors, object: T): void;
  /** A change; runs after `validate`. */
  validateUpdate?(errors: FieldErrors, object: T, old: T): void;
  /** Which updates `validate` has nothing to say of, for kinds that change often. */
  unchanged?(object: T, old: T): boolean;
  /** A change through a subresource such as "status"; `validate` does not run for those. */
  subresources?: Readonly<Record<string, (errors: FieldErrors, object: T, old: T) => void>>;
}

/** Lets the compiler check the object's type against the rules. */
export function rulesFor<T>(rules: KindRules<T>): KindRules<never> {
  return rules;
}

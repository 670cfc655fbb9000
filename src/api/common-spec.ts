import type { KnownText } from "../format/json-text.ts";
import type { FieldSet } from "./apply/field-set.ts";

/** The spec of a new object as it was asked for, before admission adds to it. */
export interface AskedSpec {
  readonly spec: object;
  /** Its fields, as managedFields name them in a new object, once they are known; frozen. */
  fields?: FieldSet | undefined;
}

/**
 * A frozen spec that objects of one template have in common, and what has been found out about it:
 * the second of them need not be asked what the first was. Whoever finds something out writes it
 * down here; all of it follows from the spec alone.
 */
export interface CommonSpec {
  readonly spec: object;
  /** Nothing is wrong with it. */
  isValid?: boolean;
  /** What a client is told of it in an object without annotations. */
  warnings?: readonly string[];
  /** How it is stored, and so are its fields, if they are known by then. */
  texts?: readonly KnownText[];
  /** Of both, those that parsing what is stored gives again as they are. */
  plain?: readonly object[];
  /** The fields of what was asked for: those that managedFields name; frozen. */
  readonly fields?: FieldSet | undefined;
}

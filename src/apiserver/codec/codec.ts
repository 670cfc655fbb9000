import type { CommonSpec } from "../../api/common-spec.ts";
import type { KubeObject } from "../kube-object.ts";
import type { Body } from "./body.ts";

/** What happens to fields that the kind does not have, and to keys that stand twice. */
export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** Between the text of requests, objects, and the bytes of the store, for one kind. */
export interface Codec {
  /**
   * A new object that the caller may change, of the kind that is served, with defaults.
   * @throws StatusError BadRequest | UnsupportedMediaType
   */
  decode(body: Body, options: DecodeOptions): KubeObject;
  /** The same without defaults: what the client itself said. */
  read(body: Body, options: DecodeOptions): KubeObject;
  /** Sets defaults in place; needed again after admission changed the object. */
  setDefaults(object: KubeObject): void;
  /** Canonical bytes; the object carries no resourceVersion. */
  encode(object: KubeObject, hints?: EncodeHints): Uint8Array;
}

/** What spares work in writing an object, and changes nothing of what is written. */
export interface EncodeHints {
  /** The spec of a new object: one in common is written once. */
  common?: CommonSpec | undefined;
  /** How `metadata.managedFields` are written. */
  managers?: string | undefined;
  /** The state that is changed, as it is read and as it is served. */
  from?: { before: KubeObject; bytes: Uint8Array } | undefined;
}

export interface DecodeOptions {
  fieldValidation: FieldValidation;
  warn(text: string): void;
  /** Says no to fields that the kind does not have, whatever the validation. */
  refuseUnknown?(paths: readonly string[]): Error;
  /** What the patch itself was objected to for, in front of what its result is. */
  inPatch?: readonly string[];
  /** Members of an object of the kind that has the others: its kind and metadata are not told. */
  isPart?: boolean;
}

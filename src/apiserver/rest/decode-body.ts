import type { FieldValidation } from "../codec/codec.ts";
import type { KubeObject } from "../kube-object.ts";
import type { Call } from "./call.ts";

/** The `fieldValidation` parameter; "Warn" unless the client says otherwise. */
export function fieldValidationOf(call: Call): FieldValidation {
  return (call.query.get("fieldValidation") ?? "Warn") as FieldValidation;
}

/** The object of a create or update, with defaults. @throws StatusError BadRequest */
export function decodeBody(call: Call): KubeObject {
  return call.served.codec.decode(call.body, {
    fieldValidation: fieldValidationOf(call),
    warn: call.warn,
  });
}

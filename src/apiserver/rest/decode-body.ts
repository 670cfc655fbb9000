import { StatusError } from "../../api/errors.ts";
import type { FieldValidation } from "../codec/codec.ts";
import type { KubeObject } from "../kube-object.ts";
import type { Call } from "./call.ts";

const MODES: readonly string[] = ["Ignore", "Warn", "Strict"];

/** The `fieldValidation` parameter; "Warn" unless the client says otherwise. */
export function fieldValidationOf(call: Call): FieldValidation {
  const mode = call.query.get("fieldValidation") ?? "Warn";
  if (!MODES.includes(mode)) {
    throw new StatusError(
      "Invalid",
      `CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "${mode}": ` +
        'supported values: "Ignore", "Strict", "Warn"',
    );
  }
  return mode as FieldValidation;
}

/** The object of a create or update, with defaults. @throws StatusError BadRequest */
export function decodeBody(call: Call): KubeObject {
  return call.served.codec.decode(call.body, {
    fieldValidation: fieldValidationOf(call),
    warn: call.warn,
  });
}

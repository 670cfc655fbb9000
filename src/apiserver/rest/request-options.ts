import { invalid, type StatusError } from "../../api/errors.ts";
import { APPLY_PATCH } from "../../api/patch/apply-patch.ts";
import type { StatusCause } from "../../api/status.ts";
import type { Call } from "./call.ts";

const OPTION_KINDS: Readonly<Record<string, string>> = {
  POST: "CreateOptions",
  PUT: "UpdateOptions",
  PATCH: "PatchOptions",
  DELETE: "DeleteOptions",
};
const MANAGER_BYTES_MAX = 128;
const VALIDATION_MODES: readonly string[] = ["Ignore", "Warn", "Strict"];

/** The refusal of options that a client sent: `PatchOptions.meta.k8s.io "" is invalid: force: …`. */
export function invalidOptions(kind: string, cause: Required<StatusCause>): StatusError {
  return invalid({ group: "meta.k8s.io", kind }, "", [cause]);
}

/** A value that is none of those that an option may have. */
export function unsupportedOption(
  kind: string,
  of: { field: string; value: string; supported: readonly string[] },
): StatusError {
  const supported = of.supported.map((one) => `"${one}"`).join(", ");
  return invalidOptions(kind, {
    reason: "FieldValueNotSupported",
    message: `Unsupported value: ${of.value}: supported values: ${supported}`,
    field: of.field,
  });
}

/** Checks what a write says in its query, before anything else is looked at. @throws StatusError */
export function checkWriteOptions(call: Call): void {
  const { query, body } = call;
  const kind = OPTION_KINDS[call.method];
  if (!kind) return;
  checkDryRun(kind, query.all("dryRun"));
  if (kind === "DeleteOptions") return;
  const validation = query.get("fieldValidation");
  if (validation !== undefined && !VALIDATION_MODES.includes(validation)) {
    const value = JSON.stringify(validation);
    throw unsupportedOption(kind, {
      field: "fieldValidation",
      value,
      supported: ["", "Ignore", "Strict", "Warn"],
    });
  }
  checkManager(kind, query.get("fieldManager") ?? "");
  if (kind !== "PatchOptions") return;
  const applies = body.kind !== "none" && body.contentType === APPLY_PATCH;
  if (applies && !query.get("fieldManager")) {
    throw invalidOptions(kind, {
      reason: "FieldValueRequired",
      message: "Required value: is required for apply patch",
      field: "fieldManager",
    });
  }
  if (!applies && query.has("force")) {
    throw invalidOptions(kind, {
      reason: "FieldValueForbidden",
      message: "Forbidden: may not be specified for non-apply patch",
      field: "force",
    });
  }
}

/** @throws StatusError when a dry run is asked for in a way that nobody knows */
export function checkDryRun(kind: string, values: readonly string[]): void {
  if (values.every((value) => value === "All")) return;
  const value = `[]string{${values.map((one) => JSON.stringify(one)).join(", ")}}`;
  throw unsupportedOption(kind, { field: "dryRun", value, supported: ["All"] });
}

function checkManager(kind: string, manager: string): void {
  if (Buffer.byteLength(manager) > MANAGER_BYTES_MAX) {
    throw invalidOptions(kind, {
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${MANAGER_BYTES_MAX} bytes`,
      field: "fieldManager",
    });
  }
  const at = manager.search(/\p{C}/u);
  if (at >= 0) {
    const code = (manager.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const why = `invalid character U+${code} (at position ${at})`;
    throw invalidOptions(kind, {
      reason: "FieldValueInvalid",
      message: `Invalid value: ${JSON.stringify(manager)}: ${why}`,
      field: "fieldManager",
    });
  }
}

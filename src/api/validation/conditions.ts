import { qualifiedNameErrors } from "../../lib/names.ts";
import type { Condition } from "../generated/types/meta-v1.ts";
import type { FieldErrors } from "./field-errors.ts";

const STATUSES: readonly string[] = ["False", "True", "Unknown"];
const REASON_MAX = 1024;
const MESSAGE_MAX = 32 * 1024;
const REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const REASON_DETAIL =
  "a condition reason must start with alphabetic character, optionally followed by a string of " +
  "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. " +
  "'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex " +
  `used for validation is '${REASON}')`;

/** `metav1.Condition` in the status of an object, one of each type. */
export function validateConditions(
  errors: FieldErrors,
  field: string,
  conditions: readonly Condition[] = [],
): void {
  const types = new Set<string | undefined>();
  for (const [index, condition] of conditions.entries()) {
    const path = `${field}[${index}]`;
    if (types.has(condition.type)) errors.duplicate(`${path}.type`, condition.type);
    types.add(condition.type);
    validateCondition(errors, path, condition);
  }
}

function validateCondition(errors: FieldErrors, path: string, condition: Partial<Condition>): void {
  const { type = "", status, observedGeneration = 0, reason = "", message = "" } = condition;
  errors.complaints(`${path}.type`, type, qualifiedNameErrors(type));
  errors.oneOf(`${path}.status`, status ?? "", STATUSES);
  if (observedGeneration < 0) {
    const detail = "must be greater than or equal to zero";
    errors.invalid(`${path}.observedGeneration`, observedGeneration, detail);
  }
  if (!condition.lastTransitionTime) errors.required(`${path}.lastTransitionTime`, "must be set");
  if (reason === "") errors.required(`${path}.reason`, "must be set");
  else {
    if (!new RegExp(`^${REASON}$`).test(reason)) {
      errors.invalid(`${path}.reason`, reason, REASON_DETAIL);
    }
    if (reason.length > REASON_MAX) errors.tooLong(`${path}.reason`, REASON_MAX);
  }
  if (message.length > MESSAGE_MAX) errors.tooLong(`${path}.message`, MESSAGE_MAX);
}

import type { Body } from "../codec/body.ts";
import { invalid, StatusError } from "../../api/errors.ts";
import { remarkKeys } from "../../format/json-parser.ts";
import { repeatedKey } from "../../format/yaml-decode.ts";
import { duplicateField, unknownField, yamlErrors } from "../codec/strict-reading.ts";
import { parseRaw } from "../raw-body.ts";
import type { Call } from "./call.ts";
import { fieldValidationOf } from "./decode-body.ts";

const OPERATION_FIELDS: ReadonlySet<string> = new Set(["op", "path", "from", "value"]);

/** The value of a patch in JSON, and what a strict reader of its text objects to. */
export function readPatch(body: Body): { patch: unknown; objections: readonly string[] } {
  const { value: patch, duplicates } = parseRaw(body);
  if (!Array.isArray(patch)) {
    return { patch, objections: [...new Set(duplicates)].map(duplicateField) };
  }
  const unknown = unknownIn(patch);
  if (body.kind !== "bytes" || (duplicates.length === 0 && unknown.size === 0)) {
    return { patch, objections: [] };
  }
  const remarks = remarkKeys(Buffer.from(body.bytes).toString(), unknown);
  const objections = remarks.map(
    ({ kind, path }) =>
      `json patch ${kind === "unknown" ? unknownField(path) : duplicateField(path)}`,
  );
  return { patch, objections };
}

function unknownIn(operations: readonly unknown[]): Set<string> {
  const unknown = new Set<string>();
  for (const [at, operation] of operations.entries()) {
    if (typeof operation !== "object" || operation === null) continue;
    for (const field in operation) {
      if (!OPERATION_FIELDS.has(field)) unknown.add(`[${at}].${field}`);
    }
  }
  return unknown;
}

/** Refuses or warns of keys that stand twice in an applied configuration. */
export function reportRepeatedKeys(call: Call): void {
  const validation = fieldValidationOf(call);
  const repeated = validation === "Ignore" ? [] : repeatedIn(call.body);
  if (validation === "Strict" && repeated.length > 0) {
    throw new StatusError(
      "BadRequest",
      `error strict decoding patch: error converting YAML to JSON: ${yamlErrors(repeated)[0]}`,
    );
  }
  for (const complaint of repeated) call.warn(complaint);
}

/** A configuration is read as YAML even if it is JSON. */
function repeatedIn(body: Body): readonly string[] {
  if (body.kind === "value") return body.duplicates ?? [];
  if (body.kind === "none" || parseRaw(body).duplicates.length === 0) return [];
  const remarks = remarkKeys(Buffer.from(body.bytes).toString(), new Set());
  return remarks.map(({ line, key }) => repeatedKey(line, key));
}

/** The refusal of a patch whose result cannot be read; what else is thrown passes. */
export function invalidPatch(error: unknown, shown: string): unknown {
  if (!(error instanceof StatusError) || error.reason !== "BadRequest") return error;
  return invalid({ group: "", kind: "" }, "", [
    {
      reason: "FieldValueInvalid",
      message: `Invalid value: ${JSON.stringify(shown)}: ${error.message}`,
      field: "patch",
    },
  ]);
}

import { applyJsonPatch, JsonPatchError, parseJsonPatch } from "../../lib/json-patch.ts";
import { applyMergePatch } from "../../lib/merge-patch.ts";
import { StatusError } from "../errors.ts";
import type { SchemaModel, StructType } from "../schema/model.ts";
import { strategicMerge } from "./strategic-merge.ts";

/** Media type of server-side apply. */
export const APPLY_PATCH = "application/apply-patch+yaml";
/** Media types of patches, apart from that. */
export const JSON_PATCH = "application/json-patch+json";
export const MERGE_PATCH = "application/merge-patch+json";
export const STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json";

const OPERATIONS_MAX = 10_000;
const COPY_SIZE_MAX = 3 * 1024 * 1024;

/** A decoded patch and what it applies to. */
export interface PatchRequest {
  /** Media type, without parameters. */
  type: string;
  patch: unknown;
  object: Readonly<Record<string, unknown>>;
  /** Needed, with `struct`, by strategic merge; custom resources have none and answer 415. */
  model?: SchemaModel | undefined;
  struct?: StructType | undefined;
}

/**
 * The patched object. The input does not change; the result shares unchanged sub-trees and is the
 * input itself when the patch changes nothing. Whether it is still a valid object is not checked.
 * @throws StatusError BadRequest, Invalid, RequestEntityTooLarge or UnsupportedMediaType
 */
export function applyPatch(request: PatchRequest): Record<string, unknown> {
  const { type, patch, object, model, struct } = request;
  if (type === JSON_PATCH) return withJsonPatch(object, patch);
  if (type === MERGE_PATCH) {
    return applyMergePatch(object, mergePatchObject(patch)) as Record<string, unknown>;
  }
  if (type === STRATEGIC_MERGE_PATCH && model && struct) {
    if (patch === null) return object;
    const merged = strategicMerge(object, patchObject(patch), { model, struct });
    return withType(merged, object);
  }
  const accepted = [JSON_PATCH, MERGE_PATCH, ...(struct ? [STRATEGIC_MERGE_PATCH] : [])];
  throw new StatusError(
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types include: " +
      [...accepted, APPLY_PATCH].join(", "),
  );
}

/** A strategic merge cannot change what an object is. */
function withType(
  merged: Record<string, unknown>,
  { apiVersion, kind }: PatchRequest["object"],
): Record<string, unknown> {
  if (merged["apiVersion"] === apiVersion && merged["kind"] === kind) return merged;
  return { ...merged, apiVersion, kind };
}

function patchObject(patch: unknown): Record<string, unknown> {
  if (typeof patch === "object" && patch !== null && !Array.isArray(patch)) {
    return patch as Record<string, unknown>;
  }
  throw new StatusError("BadRequest", notOfType(patch, "map[string]interface {}"));
}

/** What a value that JSON has no better type for is not, in the words of Go. */
function notOfType(value: unknown, type: string): string {
  const found = Array.isArray(value) ? "array" : typeof value;
  const go = found === "boolean" ? "bool" : found;
  return `json: cannot unmarshal ${go} into Go value of type ${type}`;
}

function mergePatchObject(patch: unknown): Record<string, unknown> {
  if (patch === null) throw new StatusError("BadRequest", "Invalid JSON Patch");
  if (typeof patch === "object" && !Array.isArray(patch)) return patch as Record<string, unknown>;
  const why = notOfType(patch, "map[string]interface {}");
  throw new StatusError("BadRequest", `error decoding patch: ${why}`);
}

function withJsonPatch(object: object, patch: unknown): Record<string, unknown> {
  try {
    if (patch !== null && !Array.isArray(patch)) {
      const why = notOfType(patch, "[]handlers.jsonPatchOp");
      throw new StatusError("BadRequest", `error decoding patch: ${why}`);
    }
    const operations = parseJsonPatch(patch ?? []);
    if (operations.length > OPERATIONS_MAX) {
      throw new StatusError(
        "RequestEntityTooLarge",
        `The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, ` +
          `got ${operations.length}`,
      );
    }
    const result = applyJsonPatch(object, operations, { copySizeMax: COPY_SIZE_MAX });
    if (typeof result === "object" && result !== null && !Array.isArray(result)) {
      return result as Record<string, unknown>;
    }
    throw new StatusError("BadRequest", "a JSON patch must leave a JSON object");
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    const cause = error;
    if (error.code === "malformed") throw new StatusError("BadRequest", error.message, { cause });
    if (error.code === "tooLarge") {
      throw new StatusError("RequestEntityTooLarge", error.message, { cause });
    }
    throw new StatusError(
      "Invalid",
      `the server rejected our request due to an error in our request: ${error.message}`,
      { cause, generic: true },
    );
  }
}

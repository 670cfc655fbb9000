import { StatusError } from "../api/errors.ts";
import { decodeJson } from "../format/json-decode.ts";
import { JsonSyntaxError } from "../format/json-parser.ts";
import type { Body } from "./codec/body.ts";

/** The JSON object of a body that no kind describes (options, patches, reviews). */
export function parseRawBody(body: Body): Record<string, unknown> {
  const { value } = parseRaw(body);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new StatusError("BadRequest", "the request body must be a JSON object");
  }
  return value as Record<string, unknown>;
}

/**
 * Any JSON value of a body (a JSON patch is an array) with the paths of keys that stand twice in
 * its text. @throws StatusError BadRequest
 */
export function parseRaw(body: Body): { value: unknown; duplicates: readonly string[] } {
  if (body.kind === "value") return { value: body.value, duplicates: [] };
  if (body.kind === "none" || body.bytes.byteLength === 0) {
    throw new StatusError("BadRequest", "the request needs a body");
  }
  try {
    return decodeJson(body.bytes);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new StatusError("BadRequest", `couldn't parse the request body: ${error.message}`);
  }
}

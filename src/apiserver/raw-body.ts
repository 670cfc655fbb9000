import { StatusError } from "../api/errors.ts";
import type { Body } from "./rest/call.ts";

/** The JSON object of a body that no kind describes (options, patches, reviews). */
export function parseRawBody(body: Body): Record<string, unknown> {
  const value = parseRawValue(body);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new StatusError("BadRequest", "the request body must be a JSON object");
  }
  return value as Record<string, unknown>;
}

/** Any JSON value of a body; a JSON patch is an array. @throws StatusError BadRequest */
export function parseRawValue(body: Body): unknown {
  if (body.kind === "value") return body.value;
  if (body.kind === "none" || body.bytes.byteLength === 0) {
    throw new StatusError("BadRequest", "the request needs a body");
  }
  const { buffer, byteOffset, byteLength } = body.bytes;
  try {
    return JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StatusError("BadRequest", `couldn't parse the request body as JSON: ${why}`);
  }
}

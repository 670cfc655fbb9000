import { StatusError } from "../../api/errors.ts";
import type { Resource } from "../../api/resource.ts";
import type { Body } from "./body.ts";

const SHOWN_BYTES = 30;
const BRACE = 0x7b;

/** Refuses a body that is no object of any kind, with its beginning where it came as bytes. */
export function unrecognized(resource: Resource, body: Body, why: string): StatusError {
  if (body.kind === "value") return new StatusError("BadRequest", why);
  const text = `the object provided is unrecognized (must be of type ${resource.kind}): ${why}`;
  return new StatusError("BadRequest", `${text} (${beginningOf(body)})`);
}

/** Refuses a body that is no JSON, or whose type cannot be read. */
export function unparsed(resource: Resource, body: Body, why: string): StatusError {
  return unrecognized(resource, body, `couldn't get version/kind; json parse error: ${why}`);
}

function beginningOf(body: Exclude<Body, { kind: "value" }>): string {
  if (body.kind === "none" || body.bytes.byteLength === 0) return "<empty>";
  const bytes = Buffer.from(body.bytes);
  const shown = bytes.subarray(0, SHOWN_BYTES).toString(bytes[0] === BRACE ? "utf8" : "hex");
  return bytes.byteLength > SHOWN_BYTES ? `${shown} ...` : shown;
}

import { parseReference } from "../../format/oci/reference.ts";
import type { PullPolicy } from "../generated/types/core-v1.ts";

/** An image that floats with the tag "latest" is always pulled; what names none is not. */
export function pullPolicyOf(image: string): PullPolicy {
  return parseReference(image)?.tag === "latest" ? "Always" : "IfNotPresent";
}

import type { PullPolicy } from "../generated/types/core-v1.ts";

/** An image that floats with the tag "latest" is always pulled. */
export function pullPolicyOf(image: string): PullPolicy {
  if (image.includes("@")) return "IfNotPresent";
  const name = image.slice(image.lastIndexOf("/") + 1);
  const tag = name.includes(":") ? name.slice(name.indexOf(":") + 1) : "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

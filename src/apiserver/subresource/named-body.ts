import { StatusError } from "../../api/errors.ts";
import type { KubeObject } from "../kube-object.ts";
import type { Call } from "../rest/call.ts";

/** Refuses what is about another object than its address. @throws StatusError BadRequest */
export function checkNamed(
  { target }: Call,
  { metadata }: Pick<KubeObject, "metadata">,
  kind: string,
): void {
  if (metadata.namespace && metadata.namespace !== target.namespace) {
    throw new StatusError(
      "BadRequest",
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  }
  if (metadata.name === target.name) return;
  throw new StatusError("BadRequest", `name in URL does not match name in ${kind} object`);
}

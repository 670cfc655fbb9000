import { invalid } from "../../api/errors.ts";
import { FieldErrors } from "../../api/validation/field-errors.ts";
import type { Query } from "../request/query.ts";

const NUMBERS = [
  { name: "tailLines", least: 0, detail: "must be greater than or equal to 0" },
  { name: "limitBytes", least: 1, detail: "must be greater than 0" },
  { name: "sinceSeconds", least: 1, detail: "must be greater than 0" },
] as const;

/**
 * Judges what is asked of a pod's logs before a node is; numbers that are none are the node's
 * affair. `stream` is off in Kubernetes 1.32. @throws StatusError Invalid
 */
export function judgeLogOptions(pod: string, query: Query): void {
  const errors = new FieldErrors();
  for (const { name, least, detail } of NUMBERS) {
    const value = Number(query.get(name) ?? least);
    const isSecond = name === "sinceSeconds" && query.get("sinceTime") !== undefined;
    if (isSecond && query.get(name) !== undefined) {
      errors.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified");
    } else if (value < least) errors.invalid(name, value, detail);
  }
  if (query.get("stream") !== undefined) errors.forbidden("stream", "may not be specified");
  if (errors.causes.length === 0) return;
  throw invalid({ group: "", kind: "PodLogOptions" }, pod, errors.causes);
}

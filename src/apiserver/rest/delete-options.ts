import type { StatusError } from "../../api/errors.ts";
import { textOf } from "../kube-object.ts";
import type { Call } from "./call.ts";
import { checkDryRun, invalidOptions, unsupportedOption } from "./request-options.ts";

/** `metav1.DeleteOptions`, checked. */
export interface DeleteOptions {
  gracePeriodSeconds: number | undefined;
  uid: string | undefined;
  resourceVersion: string | undefined;
  /** "None" for a client that said background by orphanDependents=false. */
  propagation: "Orphan" | "Foreground" | "Background" | undefined;
  orphanDependents: boolean | undefined;
  dryRun: boolean;
}

const POLICIES: readonly unknown[] = ["Orphan", "Foreground", "Background"];

function refuse(field: string, message: string): StatusError {
  return invalidOptions("DeleteOptions", { reason: "FieldValueInvalid", message, field });
}

/** Reads the options from the body, and from the query what the body leaves out. */
export function deleteOptionsOf(call: Call, body: Record<string, unknown>): DeleteOptions {
  const { query } = call;
  const preconditions = (body["preconditions"] ?? {}) as Record<string, unknown>;
  const graceText = query.get("gracePeriodSeconds");
  const grace = body["gracePeriodSeconds"] ?? (graceText ? Number(graceText) : undefined);
  if (grace !== undefined && grace !== null && !Number.isSafeInteger(grace)) {
    throw refuse("gracePeriodSeconds", "Invalid value: must be an integer");
  }
  const policy = body["propagationPolicy"] ?? query.get("propagationPolicy");
  const orphanText = query.get("orphanDependents");
  const orphan = body["orphanDependents"] ?? (orphanText ? orphanText === "true" : undefined);
  if (policy && typeof orphan === "boolean") {
    throw refuse(
      "propagationPolicy",
      `Invalid value: "${textOf(policy)}": orphanDependents and deletionPropagation cannot be both set`,
    );
  }
  if (policy && !POLICIES.includes(policy)) {
    throw unsupportedOption("DeleteOptions", {
      field: "propagationPolicy",
      value: JSON.stringify(textOf(policy)),
      supported: ["Foreground", "Background", "Orphan", "nil"],
    });
  }
  const dryRuns = [...query.all("dryRun"), ...((body["dryRun"] as string[] | undefined) ?? [])];
  checkDryRun("DeleteOptions", dryRuns);
  return {
    gracePeriodSeconds: typeof grace === "number" ? grace : undefined,
    uid: preconditions["uid"] as string | undefined,
    resourceVersion: preconditions["resourceVersion"] as string | undefined,
    propagation: (policy || undefined) as DeleteOptions["propagation"],
    orphanDependents: typeof orphan === "boolean" ? orphan : undefined,
    dryRun: dryRuns.includes("All"),
  };
}

import { StatusError } from "../../api/errors.ts";
import { textOf } from "../kube-object.ts";
import type { Call } from "./call.ts";

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
  return new StatusError(
    "Invalid",
    `DeleteOptions.meta.k8s.io "" is invalid: ${field}: ${message}`,
    {
      subject: { group: "meta.k8s.io", kind: "DeleteOptions" },
      causes: [{ reason: "FieldValueInvalid", message, field }],
    },
  );
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
    throw refuse(
      "propagationPolicy",
      `Unsupported value: "${textOf(policy)}": supported values: "Foreground", "Background", "Orphan"`,
    );
  }
  const dryRuns = [...query.all("dryRun"), ...((body["dryRun"] as string[] | undefined) ?? [])];
  return {
    gracePeriodSeconds: typeof grace === "number" ? grace : undefined,
    uid: preconditions["uid"] as string | undefined,
    resourceVersion: preconditions["resourceVersion"] as string | undefined,
    propagation: (policy || undefined) as DeleteOptions["propagation"],
    orphanDependents: typeof orphan === "boolean" ? orphan : undefined,
    dryRun: dryRuns.includes("All"),
  };
}

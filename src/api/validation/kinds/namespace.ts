import { dns1123LabelErrors, qualifiedNameErrors } from "../../../lib/names.ts";
import type { Namespace } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";

export const NAMESPACE: KindRules<Namespace> = {
  nameRule: dns1123LabelErrors,
  validate: validateFinalizers,
  subresources: {
    finalize: validateFinalizers,
    status(errors, { metadata, status }) {
      const phase = status?.phase ?? "";
      if (!metadata?.deletionTimestamp) {
        if (phase === "Active") return;
        const detail = "may only be 'Active' if `deletionTimestamp` is empty";
        errors.invalid("status.Phase", phase, detail);
      } else if (phase !== "Terminating") {
        const detail = "may only be 'Terminating' if `deletionTimestamp` is not empty";
        errors.invalid("status.Phase", phase, detail);
      }
    },
  },
};

function validateFinalizers(errors: FieldErrors, { spec }: Namespace): void {
  for (const name of spec?.finalizers ?? []) {
    const complaints = qualifiedNameErrors(name);
    errors.complaints("spec.finalizers", name, complaints);
    if (complaints.length > 0 || name.includes("/") || name === "kubernetes") continue;
    const detail = "name is neither a standard finalizer name nor is it fully qualified";
    errors.invalid("spec.finalizers", name, detail);
  }
}

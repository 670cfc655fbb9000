import { dns1123LabelErrors, qualifiedNameErrors } from "../../../lib/names.ts";
import type { Namespace } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";

const FINALIZERS = "spec.finalizers";

export const NAMESPACE: KindRules<Namespace> = {
  nameRule: dns1123LabelErrors,
  validate: (errors, namespace) => validateFinalizers(errors, namespace, () => FINALIZERS),
  subresources: {
    finalize: (errors, namespace) =>
      validateFinalizers(errors, namespace, (index) => `${FINALIZERS}[${index}]`),
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

function validateFinalizers(
  errors: FieldErrors,
  { spec }: Namespace,
  fieldOf: (index: number) => string,
): void {
  for (const [index, name] of (spec?.finalizers ?? []).entries()) {
    const field = fieldOf(index);
    errors.complaints(field, name, qualifiedNameErrors(name));
    if (name.includes("/") || name === "kubernetes") continue;
    const detail = "name is neither a standard finalizer name nor is it fully qualified";
    errors.invalid(field, name, detail);
  }
}

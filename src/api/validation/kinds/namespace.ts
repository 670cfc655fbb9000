import { dns1123LabelErrors, qualifiedNameErrors } from "../../../lib/names.ts";
import type { Namespace } from "../../generated/types/core-v1.ts";
import type { KindRules } from "../kind-rules.ts";

export const NAMESPACE: KindRules<Namespace> = {
  nameRule: dns1123LabelErrors,
  validate(errors, { spec }) {
    for (const [index, name] of (spec?.finalizers ?? []).entries()) {
      errors.complaints(`spec.finalizers[${index}]`, name, qualifiedNameErrors(name));
    }
  },
};

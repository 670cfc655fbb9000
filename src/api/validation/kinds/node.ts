import { deepEqual } from "../../../lib/deep-equal.ts";
import { labelValueErrors, qualifiedNameErrors } from "../../../lib/names.ts";
import type { Node } from "../../generated/types/core-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { isCidr } from "../values.ts";

export const NODE: KindRules<Node> = {
  validate(errors, { spec }) {
    const seen = new Set<string>();
    for (const [index, { key, value = "", effect }] of (spec?.taints ?? []).entries()) {
      const path = `spec.taints[${index}]`;
      errors.complaints(`${path}.key`, key, qualifiedNameErrors(key ?? ""));
      errors.complaints(`${path}.value`, value, labelValueErrors(value));
      if (errors.present(`${path}.effect`, effect)) {
        errors.oneOf(`${path}.effect`, effect, ["NoExecute", "NoSchedule", "PreferNoSchedule"]);
      }
      const pair = `${key}:${effect}`;
      if (seen.has(pair)) {
        errors.duplicate(path, { key, effect });
      }
      seen.add(pair);
    }
    for (const [index, cidr] of (spec?.podCIDRs ?? []).entries()) {
      if (!isCidr(cidr)) errors.invalid(`spec.podCIDRs[${index}]`, cidr, "must be a valid CIDR");
    }
  },
  validateUpdate(errors, { spec }, old) {
    const before = old.spec?.podCIDRs ?? [];
    if (before.length > 0 && !deepEqual(spec?.podCIDRs ?? [], before)) {
      const detail = 'node updates may not change podCIDR except from "" to valid';
      errors.forbidden("spec.podCIDRs", detail);
    }
    const provider = old.spec?.providerID;
    if (provider && spec?.providerID !== provider) {
      const detail = 'node updates may not change providerID except from "" to valid';
      errors.forbidden("spec.providerID", detail);
    }
  },
};

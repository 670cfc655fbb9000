import {
  dns1035LabelErrors,
  dns1123SubdomainErrors,
  pathSegmentErrors,
} from "../../../lib/names.ts";
import type { APIService } from "../../generated/types/apiregistration-v1.ts";
import type { KindRules } from "../kind-rules.ts";

export const API_SERVICE: KindRules<APIService> = {
  nameRule: pathSegmentErrors,
  validate(errors, { spec, metadata }) {
    const { group = "", version = "", service } = spec ?? {};
    const wanted = `${version}.${group}`;
    const name = metadata?.name ?? "";
    if (name !== "" && name !== wanted && pathSegmentErrors(name).length === 0) {
      const detail = `must be \`spec.version+"."+spec.group\`: "${wanted}"`;
      errors.invalid("metadata.name", name, detail);
    }
    if (group !== "") errors.complaints("spec.group", group, dns1123SubdomainErrors(group));
    else if (version !== "v1") {
      const detail = "only v1 may have an empty group and it better be legacy kube";
      errors.required("spec.group", detail);
    }
    errors.complaints("spec.version", version, dns1035LabelErrors(version));
    if (service) {
      errors.present("spec.service.namespace", service.namespace);
      errors.present("spec.service.name", service.name);
    }
    const priorities: [string, number | undefined, number][] = [
      ["spec.groupPriorityMinimum", spec?.groupPriorityMinimum, 20_000],
      ["spec.versionPriority", spec?.versionPriority, 1000],
    ];
    for (const [field, value = 0, max] of priorities) {
      if (value < 1 || value > max) {
        errors.invalid(field, value, `must be positive and less than or equal to ${max}`);
      }
    }
  },
};

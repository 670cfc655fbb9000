import {
  dns1035LabelErrors,
  dns1123SubdomainErrors,
  pathSegmentErrors,
} from "../../../lib/names.ts";
import type { APIService, APIServiceSpec } from "../../generated/types/apiregistration-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { PORT_RANGE } from "../values.ts";

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
    const priorities: [string, number | undefined, number][] = [
      ["spec.groupPriorityMinimum", spec?.groupPriorityMinimum, 20_000],
      ["spec.versionPriority", spec?.versionPriority, 1000],
    ];
    for (const [field, value = 0, max] of priorities) {
      if (value < 1 || value > max) {
        errors.invalid(field, value, `must be positive and less than ${max}`);
      }
    }
    if (service) validateService(errors, service);
    validateTrust(errors, spec ?? {});
  },
  subresources: {
    status(errors, { status }) {
      for (const [index, condition] of (status?.conditions ?? []).entries()) {
        const field = `status.conditions[${index}].status`;
        errors.oneOf(field, condition.status ?? "", ["True", "False", "Unknown"]);
      }
    },
  },
};

function validateService(
  errors: FieldErrors,
  { namespace, name, port = 0 }: NonNullable<APIServiceSpec["service"]>,
): void {
  errors.present("spec.service.namespace", namespace);
  errors.present("spec.service.name", name);
  const [first, last] = PORT_RANGE;
  if (port >= first && port <= last) return;
  const detail = `port is not valid: must be between ${first} and ${last}, inclusive`;
  errors.invalid("spec.service.port", port, detail);
}

/** By what the server is known that answers. */
function validateTrust(errors: FieldErrors, spec: Partial<APIServiceSpec>): void {
  const { service, caBundle = "", insecureSkipTLSVerify: insecure } = spec;
  const field = "spec.insecureSkipTLSVerify";
  if (service) {
    if (!insecure || caBundle === "") return;
    return errors.invalid(field, true, "may not be true if caBundle is present");
  }
  if (caBundle !== "") {
    const size = `${Buffer.from(caBundle, "base64").length} bytes`;
    errors.invalid("spec.caBundle", size, "local APIServices may not have a caBundle");
  }
  if (insecure) {
    errors.invalid(field, true, "local APIServices may not have insecureSkipTLSVerify");
  }
}

import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  domainPathErrors,
  pathSegmentErrors,
} from "../../../lib/names.ts";
import type {
  IngressClass,
  IngressClassParametersReference,
} from "../../generated/types/networking-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

const CONTROLLER_MAX = 250;

export const INGRESS_CLASS: KindRules<IngressClass> = {
  validate(errors, { spec = {} }) {
    const { controller = "", parameters } = spec;
    if (controller.length > CONTROLLER_MAX) errors.tooLong("spec.controller", CONTROLLER_MAX);
    if (errors.present("spec.controller", controller)) {
      errors.complaints("spec.controller", controller, domainPathErrors(controller));
    }
    if (parameters) validateParameters(errors, "spec.parameters", parameters);
  },
  validateUpdate(errors, { spec }, old) {
    const values = { now: spec?.controller ?? "", old: old.spec?.controller };
    validateImmutable(errors, "spec.controller", values);
  },
};

function validateParameters(
  errors: FieldErrors,
  field: string,
  parameters: IngressClassParametersReference,
): void {
  const { apiGroup, kind, name, scope, namespace } = parameters;
  if (apiGroup !== undefined) {
    errors.complaints(`${field}.apiGroup`, apiGroup, dns1123SubdomainErrors(apiGroup));
  }
  for (const [part, value] of Object.entries({ kind, name })) {
    if (!value) errors.required(`${field}.${part}`, `${part} is required`);
    else errors.complaints(`${field}.${part}`, value, pathSegmentErrors(value));
  }
  if (scope === undefined) errors.required(`${field}.scope`);
  else errors.oneOf(`${field}.scope`, scope, ["Cluster", "Namespace"]);
  if (scope === "Namespace") {
    if (namespace === undefined) {
      errors.required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'");
    } else errors.complaints(`${field}.namespace`, namespace, dns1123LabelErrors(namespace));
  } else if (scope === "Cluster" && namespace !== undefined) {
    errors.forbidden(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'");
  }
}

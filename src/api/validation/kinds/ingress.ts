import { dns1035LabelErrors, dns1123SubdomainErrors } from "../../../lib/names.ts";
import type { Ingress, IngressBackend } from "../../generated/types/networking-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { isIp, validatePort, validatePortOrName } from "../values.ts";

function validateBackend(
  errors: FieldErrors,
  field: string,
  backend: IngressBackend | undefined,
): void {
  const { service, resource } = backend ?? {};
  if (service && resource) {
    errors.invalid(field, "", "cannot set both resource and service backends");
  } else if (service) {
    if (errors.present(`${field}.service.name`, service.name)) {
      const complaints = dns1035LabelErrors(service.name);
      errors.complaints(`${field}.service.name`, service.name, complaints);
    }
    const { name, number } = service.port ?? {};
    if (name && number) {
      errors.invalid(field, "", "cannot set both port name & port number");
    } else if (name) validatePortOrName(errors, `${field}.service.port.name`, name);
    else if (number) validatePort(errors, `${field}.service.port.number`, number);
    else errors.required(field, "port name or number is required");
  } else if (resource) {
    errors.present(`${field}.resource.kind`, resource.kind);
    errors.present(`${field}.resource.name`, resource.name);
  } else errors.required(field, "service or resource backend is required");
}

export const INGRESS: KindRules<Ingress> = {
  validate(errors, { spec = {} }) {
    const { rules = [], defaultBackend } = spec;
    if (rules.length === 0 && !defaultBackend) {
      const detail = "either `defaultBackend` or `rules` must be specified";
      errors.invalid("spec", rules, detail);
    }
    if (defaultBackend) validateBackend(errors, "spec.defaultBackend", defaultBackend);
    for (const [index, { host = "", http }] of rules.entries()) {
      const path = `spec.rules[${index}]`;
      if (isIp(host)) errors.invalid(`${path}.host`, host, "must be a DNS name, not an IP address");
      else if (host) {
        const plain = host.replace(/^\*\./, "");
        errors.complaints(`${path}.host`, host, dns1123SubdomainErrors(plain));
      }
      if (http && (http.paths ?? []).length === 0) errors.required(`${path}.http.paths`);
      for (const [at, { path: url = "", pathType, backend }] of (http?.paths ?? []).entries()) {
        const place = `${path}.http.paths[${at}]`;
        if (!pathType) errors.required(`${place}.pathType`, "pathType must be specified");
        const types = ["Exact", "ImplementationSpecific", "Prefix"];
        errors.oneOf(`${place}.pathType`, pathType || undefined, types);
        if (pathType !== "ImplementationSpecific" && !url.startsWith("/")) {
          errors.invalid(`${place}.path`, url, "must be an absolute path");
        }
        validateBackend(errors, `${place}.backend`, backend);
      }
    }
  },
};

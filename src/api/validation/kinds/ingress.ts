import {
  dns1035LabelErrors,
  dns1123SubdomainErrors,
  pathSegmentErrors,
  wildcardSubdomainErrors,
} from "../../../lib/names.ts";
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressSpec,
} from "../../generated/types/networking-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { GoText } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { isIp, validateIp, validatePort, validatePortOrName } from "../values.ts";

const CLASS_ANNOTATION = "kubernetes.io/ingress.class";
const PATH_TYPES: readonly string[] = ["Exact", "ImplementationSpecific", "Prefix"];
const SEQUENCES: readonly string[] = ["//", "/./", "/../", "%2f", "%2F"];
const SUFFIXES: readonly string[] = ["/..", "/."];

export const INGRESS: KindRules<Ingress> = {
  validate(errors, { spec = {} }) {
    const { rules = [], defaultBackend, ingressClassName } = spec;
    if (rules.length === 0 && !defaultBackend) {
      const detail = "either `defaultBackend` or `rules` must be specified";
      const list = spec.rules ? "{}" : "(nil)";
      errors.invalid("spec", new GoText(`[]networking.IngressRule${list}`), detail);
    }
    if (defaultBackend) validateBackend(errors, "spec.defaultBackend", defaultBackend);
    for (const [index, rule] of rules.entries()) {
      validateRule(errors, `spec.rules[${index}]`, rule);
    }
    validateTls(errors, spec);
    if (ingressClassName !== undefined) {
      const complaints = dns1123SubdomainErrors(ingressClassName);
      errors.complaints("spec.ingressClassName", ingressClassName, complaints);
    }
  },
  validateCreate(errors, { metadata, spec }) {
    const annotation = metadata?.annotations?.[CLASS_ANNOTATION];
    const named = spec?.ingressClassName;
    if (annotation === undefined || named === undefined || annotation === named) return;
    const detail = "must match `ingressClassName` when both are specified";
    errors.invalid(`annotations.${CLASS_ANNOTATION}`, annotation, detail);
  },
  subresources: {
    status(errors, { status }) {
      for (const [index, { ip, hostname }] of (status?.loadBalancer?.ingress ?? []).entries()) {
        const path = `status.loadBalancer.ingress[${index}]`;
        if (ip) validateIp(errors, `${path}.ip`, ip);
        if (!hostname) continue;
        errors.complaints(`${path}.hostname`, hostname, dns1123SubdomainErrors(hostname));
        if (!isIp(hostname)) continue;
        errors.invalid(`${path}.hostname`, hostname, "must be a DNS name, not an IP address");
      }
    },
  },
};

function validateRule(errors: FieldErrors, path: string, { host = "", http }: IngressRule): void {
  if (isIp(host)) errors.invalid(`${path}.host`, host, "must be a DNS name, not an IP address");
  if (host) validateHost(errors, `${path}.host`, host);
  if (!http) return;
  const paths = http.paths ?? [];
  if (paths.length === 0) errors.required(`${path}.http.paths`);
  for (const [index, one] of paths.entries()) {
    validatePath(errors, `${path}.http.paths[${index}]`, one);
  }
}

function validateHost(errors: FieldErrors, field: string, host: string): void {
  const wild = host.includes("*");
  const complaints = wild ? wildcardSubdomainErrors(host) : dns1123SubdomainErrors(host);
  errors.complaints(field, host, complaints);
}

function validatePath(errors: FieldErrors, place: string, one: HTTPIngressPath): void {
  const { path = "", pathType, backend } = one;
  if (pathType === undefined) {
    return errors.required(`${place}.pathType`, "pathType must be specified");
  }
  if (pathType === "ImplementationSpecific") {
    if (path !== "" && !path.startsWith("/")) {
      errors.invalid(`${place}.path`, path, "must be an absolute path");
    }
  } else if (!PATH_TYPES.includes(pathType)) {
    errors.notSupported(`${place}.pathType`, pathType, PATH_TYPES);
  } else {
    if (!path.startsWith("/")) errors.invalid(`${place}.path`, path, "must be an absolute path");
    for (const text of SEQUENCES) {
      if (path.includes(text)) errors.invalid(`${place}.path`, path, `must not contain '${text}'`);
    }
    for (const text of SUFFIXES) {
      if (path.endsWith(text)) errors.invalid(`${place}.path`, path, `cannot end with '${text}'`);
    }
  }
  validateBackend(errors, `${place}.backend`, backend);
}

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
    const { apiGroup, kind, name } = resource;
    if (apiGroup !== undefined) {
      const complaints = dns1123SubdomainErrors(apiGroup);
      errors.complaints(`${field}.resource.apiGroup`, apiGroup, complaints);
    }
    for (const [part, value] of Object.entries({ kind, name })) {
      const place = `${field}.resource.${part}`;
      if (!value) errors.required(place, `${part} is required`);
      else errors.complaints(place, value, pathSegmentErrors(value));
    }
  } else errors.invalid(field, "", "resource or service backend is required");
}

function validateTls(errors: FieldErrors, spec: IngressSpec): void {
  for (const [index, { hosts, secretName }] of (spec.tls ?? []).entries()) {
    const path = `spec.tls[${index}]`;
    for (const [at, host] of (hosts ?? []).entries()) {
      validateHost(errors, `${path}.hosts[${at}]`, host);
    }
    if (secretName) {
      errors.complaints(`${path}.secretName`, secretName, dns1123SubdomainErrors(secretName));
    }
  }
}

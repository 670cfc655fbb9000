import {
  configKeyErrors,
  dns1123SubdomainErrors,
  envVarNameErrors,
  qualifiedNameErrors,
} from "../../../lib/names.ts";
import { canonicalQuantity, QuantityError } from "../../../lib/quantity.ts";
import type {
  Container,
  EnvVar,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";

/** What the environment may show of the pod. */
const ENV_FIELDS: readonly string[] = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
/** What the downward API knows at all; each user of it takes a part. */
const KNOWN_FIELDS: readonly string[] = [
  ...ENV_FIELDS,
  "metadata.annotations",
  "metadata.labels",
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
];
const RESOURCE_FIELDS: readonly string[] = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const BYTE_DIVISORS: readonly string[] = "1 1k 1M 1G 1T 1P 1E 1Ki 1Mi 1Gi 1Ti 1Pi 1Ei".split(" ");
/** Divisors by what stands before and after the dot of a resource field. */
const DIVISORS: readonly [pattern: RegExp, name: string, values: readonly string[]][] = [
  [/^(limits|requests)\.cpu$/, "cpu", ["1m", "1"]],
  [/^(limits|requests)\.memory$/, "memory", BYTE_DIVISORS],
  [/^(limits|requests)\.ephemeral-storage$/, "local ephemeral storage", BYTE_DIVISORS],
  [/^(limits|requests)\.hugepages-/, "hugepages", BYTE_DIVISORS],
];

/** The variables of a container. */
export function validateEnv(errors: FieldErrors, field: string, env: readonly EnvVar[]): void {
  for (const [index, { name, value, valueFrom }] of env.entries()) {
    const path = `${field}[${index}]`;
    if (errors.present(`${path}.name`, name)) {
      errors.complaints(`${path}.name`, name, envVarNameErrors(name));
    }
    if (!valueFrom) continue;
    const from = `${path}.valueFrom`;
    const { fieldRef, configMapKeyRef, secretKeyRef, resourceFieldRef } = valueFrom;
    if (fieldRef) validateFieldRef(errors, `${from}.fieldRef`, { ref: fieldRef, of: ENV_FIELDS });
    if (resourceFieldRef) {
      validateResourceRef(errors, `${from}.resourceFieldRef`, { ref: resourceFieldRef });
    }
    validateKeyRef(errors, `${from}.configMapKeyRef`, configMapKeyRef);
    validateKeyRef(errors, `${from}.secretKeyRef`, secretKeyRef);
    const sources = [fieldRef, configMapKeyRef, secretKeyRef, resourceFieldRef].filter(Boolean);
    if (sources.length === 0) {
      errors.invalid(
        from,
        "",
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
      );
    } else if (value) {
      errors.invalid(from, "", "may not be specified when `value` is not empty");
    } else if (sources.length > 1) {
      errors.invalid(from, "", "may not have more than one field specified at a time");
    }
  }
}

function validateKeyRef(
  errors: FieldErrors,
  field: string,
  ref: { name?: string; key: string } | undefined,
): void {
  if (!ref) return;
  const { name = "", key } = ref;
  errors.complaints(`${field}.name`, name, dns1123SubdomainErrors(name));
  if (errors.present(`${field}.key`, key)) {
    errors.complaints(`${field}.key`, key, configKeyErrors(key));
  }
}

/** A field of the pod that the downward API offers. */
export function validateFieldRef(
  errors: FieldErrors,
  field: string,
  { ref, of }: { ref: ObjectFieldSelector; of: readonly string[] },
): void {
  const path = ref.fieldPath;
  if (!errors.present(`${field}.apiVersion`, ref.apiVersion ?? "v1")) return;
  if (!errors.present(`${field}.fieldPath`, path)) return;
  const refuse = (why: string) =>
    errors.invalid(`${field}.fieldPath`, path, `error converting fieldPath: ${why}`);
  const { apiVersion = "v1" } = ref;
  if (apiVersion !== "v1") return refuse(`unsupported pod version: ${apiVersion}`);
  const keyed = /^(.*)\['(.*)'\]$/.exec(path);
  const [, map = "", key = ""] = keyed ?? [];
  const maps = map === "metadata.annotations" || map === "metadata.labels";
  if (keyed ? !maps : !KNOWN_FIELDS.includes(path)) {
    refuse(`field label ${keyed ? "does not support subscript" : "not supported"}: ${path}`);
  } else if (keyed) {
    const name = map === "metadata.annotations" ? key.toLowerCase() : key;
    errors.complaints(field, name, qualifiedNameErrors(name));
  } else if (!of.includes(path)) {
    errors.notSupported(`${field}.fieldPath`, path, of);
  }
}

/** An amount that a container asks for or may use. Volumes have to name the container. */
export function validateResourceRef(
  errors: FieldErrors,
  field: string,
  { ref, volume = false }: { ref: ResourceFieldSelector; volume?: boolean },
): void {
  const { resource, containerName, divisor } = ref;
  if (volume && !containerName) errors.required(`${field}.containerName`);
  else if (!resource) errors.required(`${field}.resource`);
  else if (
    !RESOURCE_FIELDS.includes(resource) &&
    !/^(requests|limits)\.hugepages-/.test(resource)
  ) {
    errors.notSupported(`${field}.resource`, resource, RESOURCE_FIELDS);
  }
  const known = DIVISORS.find(([pattern]) => pattern.test(resource));
  if (!divisor || divisor === "0" || !known) return;
  if (known[2].includes(canonical(divisor))) return;
  const list = known[2].length === 2 ? known[2].join(" and ") : known[2].join(", ");
  const detail = `only divisor's values ${list} are supported with the ${known[1]} resource`;
  errors.invalid(`${field}.divisor`, resource, detail);
}

function canonical(amount: string): string {
  try {
    return canonicalQuantity(amount);
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    return "";
  }
}

/** Whole objects whose keys become variables. */
export function validateEnvFrom(
  errors: FieldErrors,
  field: string,
  { envFrom = [] }: Pick<Container, "envFrom">,
): void {
  for (const [index, { prefix, configMapRef, secretRef }] of envFrom.entries()) {
    const path = `${field}[${index}]`;
    if (prefix) errors.complaints(`${path}.prefix`, prefix, envVarNameErrors(prefix));
    for (const [name, ref] of Object.entries({ configMapRef, secretRef })) {
      if (ref && errors.present(`${path}.${name}.name`, ref.name)) {
        errors.complaints(`${path}.${name}.name`, ref.name, dns1123SubdomainErrors(ref.name));
      }
    }
    if (!configMapRef && !secretRef) {
      errors.invalid(field, "", "must specify one of: `configMapRef` or `secretRef`");
    } else if (configMapRef && secretRef) {
      errors.invalid(field, "", "may not have more than one field specified at a time");
    }
  }
}

import { qualifiedNameErrors } from "../../lib/names.ts";
import type { FieldErrors } from "./field-errors.ts";
import { GoText } from "./go-text.ts";

const STANDARD_CONTAINER_RESOURCES: readonly string[] = ["cpu", "memory", "ephemeral-storage"];

/** Objects that quotas count by these short names. */
const COUNTED: readonly string[] = [
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
];
const QUOTA_RESOURCES: readonly string[] = [
  ...STANDARD_CONTAINER_RESOURCES,
  ...STANDARD_CONTAINER_RESOURCES.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  "requests.storage",
  ...COUNTED,
];
const STANDARD_RESOURCES: readonly string[] = [...QUOTA_RESOURCES, "storage"];

/** Memory in pages of a fixed size, such as "hugepages-2Mi". */
export function isHugePages(name: string): boolean {
  return name.startsWith("hugepages-");
}

/** Of Kubernetes itself, not of a device plugin. */
export function isNative(name: string): boolean {
  return !name.includes("/") || name.includes("kubernetes.io/");
}

function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith("requests.");
}

/** Resources that are had in whole numbers. */
export function isIntegerResource(name: string): boolean {
  return COUNTED.includes(name) || isExtended(name);
}

/** What a container can ask for by name. */
export function validateContainerResourceName(
  errors: FieldErrors,
  field: string,
  name: string,
): void {
  validateResourceName(errors, field, name);
  if (!name.includes("/")) {
    if (!STANDARD_CONTAINER_RESOURCES.includes(name) && !isHugePages(name)) {
      errors.invalid(field, new GoText(name), "must be a standard resource for containers");
    }
  } else if (!isNative(name) && qualifiedNameErrors(`requests.${name}`).length > 0) {
    errors.invalid(field, name, "doesn't follow extended resource name standard");
  }
}

/** The name of a resource wherever one may stand. */
export function validateResourceName(errors: FieldErrors, field: string, name: string): boolean {
  const complaints = qualifiedNameErrors(name);
  errors.complaints(field, name, complaints);
  if (complaints.length > 0) return false;
  if (name.includes("/") || STANDARD_RESOURCES.includes(name) || isHugePages(name)) return true;
  if (name.startsWith("requests.hugepages-")) return true;
  errors.invalid(field, new GoText(name), "must be a standard resource type or fully qualified");
  return false;
}

/** Names that quotas know by themselves; others are "count/…" or of an extended resource. */
export function isStandardQuotaResource(name: string): boolean {
  return (
    QUOTA_RESOURCES.includes(name) || isHugePages(name) || name.startsWith("requests.hugepages-")
  );
}

/** The name of something that a quota limits. */
export function validateQuotaResourceName(errors: FieldErrors, field: string, name: string): void {
  validateResourceName(errors, field, name);
  if (name.includes("/") || isStandardQuotaResource(name)) return;
  errors.invalid(field, new GoText(name), "must be a standard resource for quota");
}

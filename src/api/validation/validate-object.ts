import { dns1123SubdomainErrors } from "../../lib/names.ts";
import type { ObjectMeta } from "../generated/types/meta-v1.ts";
import type { Resource } from "../resource.ts";
import type { StatusCause } from "../status.ts";
import { CORE_RULES } from "./core-kinds.ts";
import { FieldErrors } from "./field-errors.ts";
import type { KindRules } from "./kind-rules.ts";
import { validateMetadata, validateMetadataUpdate } from "./metadata.ts";
import { OTHER_RULES } from "./other-kinds.ts";
import { RBAC_RULES } from "./rbac.ts";
import { SERVICE_RULES } from "./services.ts";
import { WORKLOAD_RULES } from "./workloads.ts";

const RULES: Readonly<Record<string, KindRules<never>>> = {
  ...CORE_RULES,
  ...WORKLOAD_RULES,
  ...SERVICE_RULES,
  ...RBAC_RULES,
  ...OTHER_RULES,
};

/** Groups whose finalizers must be qualified; definitions and what they define are freer. */
const OWN_GROUP = /^(?!apiextensions|apiregistration)([a-z]*|[a-z.]+\.k8s\.io)$/;

/**
 * What is wrong with a decoded and defaulted object, in the words of Kubernetes; nothing when it
 * may be stored. With `old` also what a change breaks. For a subresource only `metadata` is
 * checked: what such endpoints write, they check themselves. Kinds without rules of their own, and
 * custom resources, have their metadata checked.
 */
export function validateObject(
  resource: Resource,
  object: { metadata?: ObjectMeta },
  options: { old?: { metadata?: ObjectMeta } | undefined; subresource?: string | undefined } = {},
): StatusCause[] {
  const { old, subresource } = options;
  const errors = new FieldErrors();
  const rules: KindRules<never> | undefined = RULES[`${resource.group}/${resource.plural}`];
  const metadata = object.metadata ?? {};
  const nameRule = rules?.nameRule ?? dns1123SubdomainErrors;
  const anyFinalizer = !OWN_GROUP.test(resource.group);
  validateMetadata(errors, metadata, { namespaced: resource.namespaced, nameRule, anyFinalizer });
  if (old) validateMetadataUpdate(errors, metadata, old.metadata ?? {});
  if (subresource || !rules) return errors.causes;
  if (!old || !rules.updateOnly) rules.validate?.(errors, object as never);
  if (old) rules.validateUpdate?.(errors, object as never, old as never);
  return errors.causes;
}

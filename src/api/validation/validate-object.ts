import { dns1123SubdomainErrors } from "../../lib/names.ts";
import type { CommonSpec } from "../common-spec.ts";
import type { ObjectMeta } from "../generated/types/meta-v1.ts";
import type { Resource } from "../resource.ts";
import type { StatusCause } from "../status.ts";
import { BUILT_IN_RULES } from "./built-in-rules.ts";
import { FieldErrors } from "./field-errors.ts";
import type { KindRules } from "./kind-rules.ts";
import { validateMetadata, validateMetadataUpdate } from "./metadata.ts";

/** Groups whose finalizers must be qualified; definitions and what they define are freer. */
const OWN_GROUP = /^(?!apiextensions|apiregistration)([a-z]*|[a-z.]+\.k8s\.io)$/;

/**
 * What is wrong with a decoded and defaulted object, in the words of Kubernetes; nothing when it
 * may be stored. With `old` also what a change breaks. For a subresource only `metadata` and what
 * its own rules say is checked. Kinds without rules of their own, and
 * custom resources, have their metadata checked.
 */
export function validateObject(
  resource: Resource,
  object: { metadata?: ObjectMeta },
  options?: ValidateOptions,
): StatusCause[] {
  return validatorOf(resource)(object, options);
}

/** What is known of an object that is validated. */
export interface ValidateOptions {
  old?: { metadata?: ObjectMeta } | undefined;
  subresource?: string | undefined;
  common?: CommonSpec | undefined;
}

/** `validateObject` for one kind, whose rules are looked up once. */
export function validatorOf(
  resource: Resource,
): (object: { metadata?: ObjectMeta }, options?: ValidateOptions) => StatusCause[] {
  const rules: KindRules<never> | undefined =
    BUILT_IN_RULES[`${resource.group}/${resource.plural}`];
  const nameRule = rules?.nameRule ?? dns1123SubdomainErrors;
  const anyFinalizer = !OWN_GROUP.test(resource.group);
  const { namespaced } = resource;
  return (object, { old, subresource, common } = {}) => {
    const errors = new FieldErrors();
    const metadata = object.metadata ?? {};
    const validateMeta = () => {
      const of = { namespaced, nameRule, anyFinalizer, knownAs: old?.metadata?.name };
      validateMetadata(errors, metadata, of);
      if (old) validateMetadataUpdate(errors, metadata, old.metadata ?? {});
    };
    if (!rules?.metadataLast) validateMeta();
    if (rules) validateParts(errors, rules, { object, old, subresource, common });
    if (rules?.metadataLast && errors.causes.length === 0) validateMeta();
    return errors.causes;
  };
}

/** What the rules of the kind itself say. */
function validateParts(
  errors: FieldErrors,
  rules: KindRules<never>,
  request: {
    object: object;
    old: object | undefined;
    subresource: string | undefined;
    common: CommonSpec | undefined;
  },
): void {
  const { object, old, subresource, common } = request;
  const [next, before] = [object as never, old as never];
  if (subresource) {
    if (old) rules.subresources?.[subresource]?.(errors, next, before);
    return;
  }
  if (!old || !rules.unchanged?.(next, before)) rules.validate?.(errors, next, common);
  if (old) rules.validateUpdate?.(errors, next, before);
  else rules.validateCreate?.(errors, next);
}

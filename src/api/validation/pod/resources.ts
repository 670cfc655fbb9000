import type { Quantity } from "../../../lib/quantity.ts";
import type { ResourceRequirements } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goQuantity } from "../go-struct.ts";
import {
  isHugePages,
  isIntegerResource,
  isNative,
  validateContainerResourceName,
} from "../resource-names.ts";
import { exceeds, readQuantity, validateAmount } from "../values.ts";

const NANOS = 1_000_000_000n;
const POD_RESOURCES: readonly string[] = ["cpu", "memory"];

type NameRule = (errors: FieldErrors, field: string, name: string) => void;

/** Amounts that a container asks for and may use. */
export function validateResources(
  errors: FieldErrors,
  field: string,
  { resources, claims }: { resources: ResourceRequirements | undefined; claims?: Set<string> },
): void {
  validateRequirements(errors, field, { resources, nameRule: validateContainerResourceName });
  for (const [index, { name }] of (resources?.claims ?? []).entries()) {
    const path = `${field}.claims[${index}]`;
    if (!name) errors.required(path);
    else if (!claims?.has(name)) {
      errors.notFound(path, name);
    }
  }
}

/** Amounts of the pod as a whole. */
export function validatePodResources(
  errors: FieldErrors,
  field: string,
  resources: ResourceRequirements | undefined,
): void {
  if (resources?.claims) {
    errors.forbidden(`${field}.claims`, "claims cannot be set for Resources at pod-level");
  }
  const nameRule: NameRule = (into, path, name) => {
    if (!POD_RESOURCES.includes(name)) into.notSupported(path, name, POD_RESOURCES);
  };
  validateRequirements(errors, field, { resources, nameRule });
}

function validateRequirements(
  errors: FieldErrors,
  field: string,
  of: { resources: ResourceRequirements | undefined; nameRule: NameRule },
): void {
  const { resources = {}, nameRule } = of;
  const limits = readAmounts(errors, `${field}.limits`, { amounts: resources.limits, nameRule });
  const requests = readAmounts(errors, `${field}.requests`, {
    amounts: resources.requests,
    nameRule,
  });
  for (const [name, request] of requests) {
    const limit = limits.get(name);
    const text = resources.requests?.[name];
    const of = `${name} limit of ${resources.limits?.[name]}`;
    const overcommits = isNative(name) && !isHugePages(name);
    if (!limit) {
      if (overcommits) continue;
      errors.required(`${field}.limits`, "Limit must be set for non overcommitable resources");
    } else if (!overcommits && (exceeds(request, limit) || exceeds(limit, request))) {
      errors.invalid(`${field}.requests`, text, `must be equal to ${of}`);
    } else if (exceeds(request, limit)) {
      errors.invalid(`${field}.requests`, text, `must be less than or equal to ${of}`);
    }
  }
  const names = [...limits.keys(), ...requests.keys()];
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory")) {
    errors.forbidden(field, "HugePages require cpu or memory");
  }
}

function readAmounts(
  errors: FieldErrors,
  field: string,
  of: { amounts: Readonly<Record<string, string>> | undefined; nameRule: NameRule },
): Map<string, Quantity> {
  const read = new Map<string, Quantity>();
  for (const [name, text] of Object.entries(of.amounts ?? {})) {
    const path = `${field}[${name}]`;
    of.nameRule(errors, path, name);
    const quantity = validateResourceAmount(errors, path, { name, text });
    if (quantity) read.set(name, quantity);
    if (quantity && isHugePages(name)) validatePages(errors, path, { name, text, quantity });
  }
  return read;
}

function validatePages(
  errors: FieldErrors,
  field: string,
  { name, text, quantity }: { name: string; text: string; quantity: Quantity },
): void {
  const page = readQuantity(errors, field, name.slice("hugepages-".length));
  if (page && page.nanos > 0n && quantity.nanos % page.nanos !== 0n) {
    errors.invalid(field, text, `${text} is not positive integer multiple of ${name}`);
  }
}

/** An amount of a resource: not negative, and whole where only whole ones can be had. */
export function validateResourceAmount(
  errors: FieldErrors,
  field: string,
  { name, text }: { name: string; text: string },
): Quantity | undefined {
  const quantity = validateAmount(errors, field, text);
  if (quantity && isIntegerResource(name) && quantity.nanos % NANOS !== 0n) {
    errors.invalid(field, goQuantity(text), "must be an integer");
  }
  return quantity;
}

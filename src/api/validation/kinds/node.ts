import { JsonSyntaxError, parseStrictJson } from "../../../format/json-parser.ts";
import { labelValueErrors, qualifiedNameErrors } from "../../../lib/names.ts";
import { deepEqual } from "../../../lib/deep-equal.ts";
import type { Node, Taint } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStruct } from "../go-struct.ts";
import { goStrings } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateResourceAmount } from "../pod/resources.ts";
import { TAINT_EFFECTS } from "../pod/scheduling.ts";
import { isCidr, isIpv4, validateCidr } from "../values.ts";

const AVOID_PODS = "scheduler.alpha.kubernetes.io/preferAvoidPods";
const TAINTS = "metadata.taints";
const ONCE = 'except from "" to valid';

/** The part of the annotation that is judged. */
interface AvoidPods {
  preferAvoidPods?: { podSignature?: { podController?: { controller?: boolean } } }[];
}

export const NODE: KindRules<Node> = {
  validate(errors, node) {
    validateAvoided(errors, node.metadata?.annotations?.[AVOID_PODS]);
    validateTaints(errors, node.spec?.taints ?? []);
    validateAmounts(errors, node);
    validateRanges(errors, node.spec?.podCIDRs ?? []);
  },
  validateUpdate(errors, node, old) {
    validateAddresses(errors, node);
    const [spec, before] = [node.spec ?? {}, old.spec ?? {}];
    const ranges = before.podCIDRs ?? [];
    const moved = ranges.length > 0 && !deepEqual(spec.podCIDRs ?? [], ranges);
    const renamed = before.providerID && spec.providerID !== before.providerID;
    if (moved) {
      errors.forbidden("spec.podCIDRs", `node updates may not change podCIDR ${ONCE}`);
    }
    if (renamed) {
      errors.forbidden("spec.providerID", `node updates may not change providerID ${ONCE}`);
    }
    if (spec.externalID !== before.externalID) {
      errors.forbidden("spec.externalID", "may not be updated");
    }
  },
  subresources: {
    status(errors, node) {
      validateAmounts(errors, node);
      validateAddresses(errors, node);
    },
  },
};

/** Whose pods a node would rather not have. What its JSON says wrongly otherwise, nobody reads. */
function validateAvoided(errors: FieldErrors, annotation: string | undefined): void {
  if (!annotation) return;
  let said: AvoidPods;
  try {
    said = parseStrictJson(annotation).value as AvoidPods;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return errors.invalid("metadata.AvoidPods", AVOID_PODS, error.message);
  }
  for (const [index, entry] of (said?.preferAvoidPods ?? []).entries()) {
    const field = `metadata.annotations.${AVOID_PODS}[${index}].PodSignature`;
    const owner = entry?.podSignature?.podController;
    if (!owner) errors.required(field);
    else if (!owner.controller) {
      errors.invalid(`${field}.PodController.Controller`, false, "must point to a controller");
    }
  }
}

function validateTaints(errors: FieldErrors, taints: readonly Taint[]): void {
  const seen = new Set<string>();
  for (const [index, taint] of taints.entries()) {
    const path = `${TAINTS}[${index}]`;
    const { key, value = "", effect } = taint;
    errors.complaints(`${path}.key`, key, qualifiedNameErrors(key ?? ""));
    const complaints = labelValueErrors(value);
    if (complaints.length > 0) errors.invalid(`${path}.value`, value, complaints.join(";"));
    errors.required1Of(`${path}.effect`, effect, TAINT_EFFECTS);
    const pair = `${key}:${effect}`;
    if (seen.has(pair)) {
      errors.duplicate(
        path,
        goStruct("core.Taint", taint),
        "taints must be unique by key and effect pair",
      );
    }
    seen.add(pair);
  }
}

function validateAmounts(errors: FieldErrors, { status }: Node): void {
  for (const list of ["capacity", "allocatable"] as const) {
    for (const [name, text] of Object.entries(status?.[list] ?? {})) {
      validateResourceAmount(errors, `status.${list}.${name}`, { name, text });
    }
  }
}

function validateAddresses(errors: FieldErrors, { status }: Node): void {
  const addresses = status?.addresses ?? [];
  for (const [index, address] of addresses.entries()) {
    const first = addresses.findIndex((other) => deepEqual(other, address));
    if (first < index) errors.duplicate(`status.addresses[${index}]`, address);
  }
}

function validateRanges(errors: FieldErrors, ranges: readonly string[]): void {
  const field = "spec.podCIDRs";
  for (const [index, range] of ranges.entries()) validateCidr(errors, `${field}[${index}]`, range);
  if (ranges.length < 2 || !ranges.every(isCidr)) return;
  const v4 = ranges.filter((range) => isIpv4(range.split("/")[0] ?? ""));
  if (ranges.length > 2 || v4.length !== 1) {
    const detail = "may specify no more than one CIDR for each IP family";
    errors.invalid(field, goStrings(ranges), detail);
  }
  for (const [index, range] of ranges.entries()) {
    if (ranges.indexOf(range) < index) errors.duplicate(`${field}[${index}]`, range);
  }
}

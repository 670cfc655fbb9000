import { qualifiedNameErrors } from "../../../lib/names.ts";
import type { Quantity } from "../../../lib/quantity.ts";
import type { LimitRange, LimitRangeItem } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goQuantity } from "../go-struct.ts";
import type { KindRules } from "../kind-rules.ts";
import {
  isHugePages,
  isNative,
  validateContainerResourceName,
  validateResourceName,
} from "../resource-names.ts";
import { exceeds, readQuantity } from "../values.ts";

const TYPES: readonly string[] = ["Container", "PersistentVolumeClaim", "Pod"];
const BOUNDS = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;
const NANOS = 1_000_000_000n;

type Bound = (typeof BOUNDS)[number];

/** Which bound may not be more than which, where that is told, the amount shown, and the words. */
const ORDER: readonly (readonly [
  less: Bound,
  more: Bound,
  at: Bound,
  shown: Bound,
  text: string,
])[] = [
  ["min", "max", "min", "min", "min value %s is greater than max value %s"],
  [
    "min",
    "defaultRequest",
    "defaultRequest",
    "defaultRequest",
    "min value %s is greater than default request value %s",
  ],
  [
    "defaultRequest",
    "max",
    "defaultRequest",
    "defaultRequest",
    "default request value %s is greater than max value %s",
  ],
  [
    "defaultRequest",
    "default",
    "defaultRequest",
    "defaultRequest",
    "default request value %s is greater than default limit value %s",
  ],
  ["min", "default", "default", "min", "min value %s is greater than default value %s"],
  ["default", "max", "default", "max", "default value %s is greater than max value %s"],
];

export const LIMIT_RANGE: KindRules<LimitRange> = {
  validate(errors, { spec }) {
    const types = new Set<string>();
    for (const [index, limit] of (spec?.limits ?? []).entries()) {
      const path = `spec.limits[${index}]`;
      validateType(errors, `${path}.type`, limit.type ?? "");
      if (types.has(limit.type)) errors.duplicate(`${path}.type`, limit.type);
      types.add(limit.type);
      validateLimit(errors, path, limit);
    }
  },
};

function validateType(errors: FieldErrors, field: string, type: string): void {
  const complaints = qualifiedNameErrors(type);
  errors.complaints(field, type, complaints);
  if (complaints.length > 0 || type.includes("/") || TYPES.includes(type)) return;
  errors.invalid(field, type, "must be a standard limit type or fully qualified");
}

function validateLimit(errors: FieldErrors, path: string, limit: LimitRangeItem): void {
  const names = new Set<string>();
  const { type } = limit;
  const ofPods = type === "Pod" || type === "Container";
  for (const bound of BOUNDS) {
    const amounts = Object.keys(limit[bound] ?? {});
    if (type === "Pod" && (bound === "default" || bound === "defaultRequest")) {
      const detail = "may not be specified when `type` is 'Pod'";
      if (amounts.length > 0) errors.forbidden(`${path}.${bound}`, detail);
      continue;
    }
    for (const name of amounts) {
      const validate = ofPods ? validateContainerResourceName : validateResourceName;
      validate(errors, `${path}.${bound}[${name}]`, name);
      names.add(name);
    }
  }
  const sized = limit.min?.["storage"] !== undefined || limit.max?.["storage"] !== undefined;
  if (type === "PersistentVolumeClaim" && !sized) {
    const detail = "either minimum or maximum storage value is required, but neither was provided";
    errors.required(`${path}.limits`, detail);
  }
  for (const name of names) validateBounds(errors, path, { limit, name });
}

function validateBounds(
  errors: FieldErrors,
  path: string,
  { limit, name }: { limit: LimitRangeItem; name: string },
): void {
  const amounts: Partial<Record<Bound, Quantity>> = {};
  for (const bound of BOUNDS) {
    const text = limit[bound]?.[name];
    const amount =
      text === undefined ? undefined : readQuantity(errors, `${path}.${bound}[${name}]`, text);
    if (amount) amounts[bound] = amount;
  }
  for (const [less, more, at, shown, text] of ORDER) {
    if (!exceeds(amounts[less], amounts[more])) continue;
    const detail = text
      .replace("%s", limit[less]?.[name] ?? "")
      .replace("%s", limit[more]?.[name] ?? "");
    errors.invalid(`${path}.${at}[${name}]`, goQuantity(limit[shown]?.[name]), detail);
  }
  const ratio = amounts.maxLimitRequestRatio;
  const field = `${path}.maxLimitRequestRatio[${name}]`;
  const shown = limit.maxLimitRequestRatio?.[name];
  const refuse = (detail: string) => errors.invalid(field, goQuantity(shown), detail);
  if (ratio && ratio.nanos < NANOS) refuse(`ratio ${shown} is less than 1`);
  if (ratio && amounts.min && amounts.max && amounts.min.nanos > 0n) {
    const most = Number(amounts.max.nanos) / Number(amounts.min.nanos);
    if (Number(ratio.nanos) / Number(NANOS) > most) {
      const detail = `ratio ${shown} is greater than max/min = ${most.toFixed(6)}`;
      refuse(detail);
    }
  }
  if (isNative(name) && !isHugePages(name)) return;
  const [limits, requests] = [amounts.default, amounts.defaultRequest];
  if (!exceeds(limits, requests) && !exceeds(requests, limits)) return;
  const [a, b] = [limit.default?.[name], limit.defaultRequest?.[name]];
  const detail = `default value ${a} must equal to defaultRequest value ${b} in ${name}`;
  errors.invalid(`${path}.defaultRequest[${name}]`, goQuantity(b), detail);
}

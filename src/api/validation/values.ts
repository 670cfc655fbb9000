import { portNameErrors } from "../../lib/names.ts";
import {
  compareQuantities,
  parseQuantity,
  type Quantity,
  QuantityError,
} from "../../lib/quantity.ts";
import type { LabelSelector } from "../generated/types/meta-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { goIntOrString } from "./go-text.ts";
import { validateLabels } from "./metadata.ts";
import { labelValueErrors, qualifiedNameErrors } from "../../lib/names.ts";

const NANOS = 1_000_000_000n;
export const PROTOCOLS: readonly string[] = ["SCTP", "TCP", "UDP"];
export const PORT_RANGE = [1, 65_535] as const;
export const ID_RANGE = [0, 2_147_483_647] as const;

/** A port that must be there and in range. */
export function validatePort(errors: FieldErrors, field: string, port: number | undefined): void {
  errors.within(field, port ?? 0, PORT_RANGE);
}

/** A port by number, or by the name of a container's port. */
export function validatePortOrName(
  errors: FieldErrors,
  field: string,
  port: number | string | undefined,
): void {
  if (typeof port === "string") errors.complaints(field, port, portNameErrors(port));
  else validatePort(errors, field, port);
}

/** A count, or a share such as "25%". */
export function validateCountOrPercent(
  errors: FieldErrors,
  field: string,
  value: number | string | undefined,
): void {
  if (typeof value === "string" && !/^[0-9]+%$/.test(value)) {
    errors.invalid(
      field,
      goIntOrString(value),
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  " +
        "or '93%', regex used for validation is '[0-9]+%')",
    );
  } else if (typeof value === "number") errors.nonNegative(field, value);
}

/** `metav1.LabelSelector`. */
export function validateSelector(
  errors: FieldErrors,
  field: string,
  selector: LabelSelector | undefined,
): void {
  validateLabels(errors, `${field}.matchLabels`, selector?.matchLabels);
  for (const [at, expression] of (selector?.matchExpressions ?? []).entries()) {
    const place = `${field}.matchExpressions[${at}]`;
    const { key, operator, values = [] } = expression;
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) {
        errors.required(`${place}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
      }
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) {
        errors.forbidden(
          `${place}.values`,
          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        );
      }
    } else errors.invalid(`${place}.operator`, operator ?? "", "not a valid selector operator");
    errors.complaints(`${place}.key`, key, qualifiedNameErrors(key ?? ""));
    for (const [index, value] of values.entries()) {
      errors.complaints(`${place}.values[${index}]`, value, labelValueErrors(value));
    }
  }
}

/** The amount, or `undefined` after a complaint. */
export function readQuantity(
  errors: FieldErrors,
  field: string,
  text: string,
): Quantity | undefined {
  try {
    return parseQuantity(String(text));
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    errors.invalid(field, text, error.message);
    return undefined;
  }
}

/** An amount that must not be negative; returned for further comparison. */
export function validateAmount(
  errors: FieldErrors,
  field: string,
  text: string,
): Quantity | undefined {
  const quantity = readQuantity(errors, field, text);
  if (quantity && quantity.nanos < 0n) {
    errors.invalid(field, text, "must be greater than or equal to 0");
  }
  return quantity;
}

/** An amount of which there must be something. */
export function validatePositiveAmount(errors: FieldErrors, field: string, text: string): void {
  const quantity = readQuantity(errors, field, text);
  if (quantity && quantity.nanos <= 0n) errors.invalid(field, text, "must be greater than zero");
}

/** An amount that is not negative, which a refusal shows as a whole number. */
export function validateBasicAmount(errors: FieldErrors, field: string, text: string): void {
  const quantity = readQuantity(errors, field, text);
  const whole = quantity ? quantity.nanos / NANOS : 0n;
  // What is less than one below zero is rounded away from it.
  const shown =
    quantity && quantity.nanos < 0n && quantity.nanos % NANOS !== 0n ? whole - 1n : whole;
  if (shown >= 0n) return;
  errors.invalid(field, Number(shown), "must be a valid resource quantity");
}

/** Whether the first amount is larger. */
export function exceeds(a: Quantity | undefined, b: Quantity | undefined): boolean {
  return a !== undefined && b !== undefined && compareQuantities(a, b) > 0;
}

const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);

export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

export function isIpv6(text: string): boolean {
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !text.includes(":")) return false;
  const [head = "", tail, ...rest] = text.split("::");
  if (rest.length > 0) return false;
  const groups = [head, tail ?? ""].flatMap((part) => (part === "" ? [] : part.split(":")));
  const last = groups.at(-1) ?? "";
  const embedded = last.includes(".");
  if (embedded && !isIpv4(last)) return false;
  const plain = embedded ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  const count = plain.length + (embedded ? 2 : 0);
  return tail === undefined ? count === 8 : count < 8;
}

export function isIp(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** An address with the length of its prefix. */
export function isCidr(text: string): boolean {
  const [ip = "", bits = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(bits)) return false;
  return isIpv4(ip) ? Number(bits) <= 32 : isIpv6(ip) && Number(bits) <= 128;
}

/** Whether the first range is a real part of the second; both are valid. */
export function isInside(inner: string, outer: string): boolean {
  const [small, large] = [bitsOf(inner), bitsOf(outer)];
  return small.length > large.length && small.startsWith(large);
}

/** The fixed bits of a range as text, behind the family. */
function bitsOf(cidr: string): string {
  const [ip = "", length = "0"] = cidr.split("/");
  const binary = (value: number, width: number) => value.toString(2).padStart(width, "0");
  if (isIpv4(ip)) {
    const bits = ip.split(".").map((octet) => binary(Number(octet), 8));
    return `4${bits.join("").slice(0, Number(length))}`;
  }
  const groups = ipv6Groups(ip).map((group) => binary(group, 16));
  return `6${groups.join("").slice(0, Number(length))}`;
}

/** The eight numbers of a valid IPv6 address. */
function ipv6Groups(ip: string): number[] {
  const numbers = (part: string) =>
    part.split(":").flatMap((group) => {
      if (group === "") return [];
      if (!group.includes(".")) return [Number.parseInt(group, 16)];
      const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
      return [a * 256 + b, c * 256 + d];
    });
  const [head = "", tail] = ip.split("::");
  const before = numbers(head);
  if (tail === undefined) return before;
  const after = numbers(tail);
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

export function validateIp(errors: FieldErrors, field: string, text: string): void {
  if (!isIp(text)) {
    errors.invalid(field, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
  }
}

export function validateCidr(errors: FieldErrors, field: string, text: string): void {
  if (!isCidr(text)) {
    const example = "(e.g. 10.9.8.0/24 or 2001:db8::/64)";
    errors.invalid(field, text, `must be a valid CIDR value, ${example}`);
  }
}

/** An address that packets to a Service or an endpoint may carry. @see RFC 6890 */
export function validateNonSpecialIp(errors: FieldErrors, field: string, text: string): void {
  if (!isIp(text)) return errors.invalid(field, text, "must be a valid IP address");
  const refuse = (detail: string) => errors.invalid(field, text, `may not be ${detail}`);
  const v4 = isIpv4(text);
  const within = (cidr: string) => isInside(`${text}/${v4 ? 32 : 128}`, cidr);
  if (v4 ? text === "0.0.0.0" : ipv6Groups(text).every((group) => group === 0)) {
    refuse(`unspecified (${text})`);
  }
  if (v4 ? within("127.0.0.0/8") : ipv6Groups(text).join() === "0,0,0,0,0,0,0,1") {
    refuse("in the loopback range (127.0.0.0/8, ::1/128)");
  }
  if (within(v4 ? "169.254.0.0/16" : "fe80::/10")) {
    refuse("in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (within(v4 ? "224.0.0.0/24" : "ff02::/16")) {
    refuse("in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
}

/** A path inside a volume: relative and without steps up. */
export function validateRelativePath(errors: FieldErrors, field: string, path: string): void {
  if (path.startsWith("/")) errors.invalid(field, path, "must be a relative path");
  if (path.split("/").includes("..")) errors.invalid(field, path, "must not contain '..'");
}

/** A relative path whose name does not look like a step up. */
export function validateLocalPath(errors: FieldErrors, field: string, path: string): void {
  validateRelativePath(errors, field, path);
  if (path.startsWith("..") && !path.startsWith("../")) {
    errors.invalid(field, path, "must not start with '..'");
  }
}

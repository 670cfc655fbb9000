import type { StatusCause } from "../status.ts";
import { GoText } from "./go-text.ts";

/**
 * Collects what is wrong with an object, in the reasons and words of the Kubernetes API. `field`
 * is a path such as "spec.containers[0].image".
 */
export class FieldErrors {
  readonly causes: StatusCause[] = [];

  required(field: string, detail = ""): void {
    this.#add("FieldValueRequired", field, join("Required value", detail));
  }

  invalid(field: string, value: unknown, detail: string): void {
    this.#add("FieldValueInvalid", field, join(`Invalid value: ${valueText(value)}`, detail));
  }

  /** The same where no single value is to blame. */
  invalidTogether(field: string, detail: string): void {
    this.#add("FieldValueInvalid", field, join("Invalid value", detail));
  }

  /** One complaint for each text, as the functions of `lib/names.ts` return them. */
  complaints(field: string, value: unknown, texts: readonly string[]): void {
    for (const text of texts) this.invalid(field, value ?? "", text);
  }

  duplicate(field: string, value: unknown, detail = ""): void {
    const text = join(`Duplicate value: ${valueText(value)}`, detail);
    this.#add("FieldValueDuplicate", field, text);
  }

  forbidden(field: string, detail: string): void {
    this.#add("FieldValueForbidden", field, `Forbidden: ${detail}`);
  }

  notFound(field: string, value: unknown): void {
    this.#add("FieldValueNotFound", field, `Not found: ${valueText(value ?? "")}`);
  }

  /** `supported` is printed in the order given. */
  notSupported(field: string, value: unknown, supported: readonly string[]): void {
    const list = supported.map((text) => `"${text}"`);
    const detail = `supported values: ${list.join(", ")}`;
    this.#add(
      "FieldValueNotSupported",
      field,
      `Unsupported value: ${valueText(value ?? "")}: ${detail}`,
    );
  }

  tooLong(field: string, maxBytes: number): void {
    this.#add("FieldValueTooLong", field, `Too long: may not be more than ${maxBytes} bytes`);
  }

  tooMany(field: string, count: number, max: number): void {
    this.#add("FieldValueTooMany", field, `Too many: ${count}: must have at most ${max} items`);
  }

  /** A value that must be one of a few; absent values are the defaulter's affair. */
  oneOf(field: string, value: string | undefined, supported: readonly string[]): void {
    if (value !== undefined && !supported.includes(value)) {
      this.notSupported(field, value, supported);
    }
  }

  /** The same where the value has to be there. */
  required1Of(field: string, value: string | undefined, supported: readonly string[]): void {
    if (!value) this.required(field);
    else this.oneOf(field, value, supported);
  }

  /** A number that must not be negative. */
  nonNegative(field: string, value: number | undefined): void {
    if (value !== undefined && value < 0) {
      this.invalid(field, value, "must be greater than or equal to 0");
    }
  }

  /** A number that must lie within bounds. */
  within(field: string, value: number | undefined, [min, max]: readonly [number, number]): void {
    if (value !== undefined && (value < min || value > max)) {
      this.invalid(field, value, `must be between ${min} and ${max}, inclusive`);
    }
  }

  /** A text that must not be empty; true when it is there. */
  present(field: string, value: string | undefined): value is string {
    if (value) return true;
    this.required(field);
    return false;
  }

  #add(reason: string, field: string, message: string): void {
    this.causes.push({ reason, message, field });
  }
}

function join(text: string, detail: string): string {
  return detail === "" ? text : `${text}: ${detail}`;
}

/** Pointers to nothing are shown as the text "null", with its quotes. */
function valueText(value: unknown): string {
  if (value instanceof GoText) return value.text;
  return value === undefined || value === null ? '"null"' : jsonText(value);
}

/** As JSON, with integers that are beyond what a float can count. */
function jsonText(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  const big = (_: string, item: unknown) => (typeof item === "bigint" ? `\0${item}` : item);
  return JSON.stringify(value, big).replace(/"\\u0000(-?\d+)"/g, "$1");
}

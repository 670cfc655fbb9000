import { deepEqual } from "../../lib/deep-equal.ts";
import { configKeyErrors } from "../../lib/names.ts";
import type { FieldErrors } from "./field-errors.ts";

export const DATA_SIZE_MAX: number = 1024 * 1024;

type Data = Readonly<Record<string, string>>;

export function base64Size(text: string): number {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return Math.floor((text.length * 3) / 4) - padding;
}

export function validateKeys(errors: FieldErrors, field: string, data: Data = {}): void {
  for (const key of Object.keys(data)) {
    const complaints = configKeyErrors(key);
    if (complaints.length > 0) errors.complaints(`${field}[${key}]`, key, complaints);
  }
}

export function sizeOf(
  data: Data = {},
  sizeOfValue: (text: string) => number = Buffer.byteLength,
): number {
  let total = 0;
  for (const key in data) total += sizeOfValue(data[key] ?? "");
  return total;
}

type Freezable = { immutable?: boolean; data?: Data; binaryData?: Data };

/** Data that was marked immutable stays as it is, the mark included. */
export function validateFrozen(errors: FieldErrors, now: Freezable, old: Freezable): void {
  if (!old.immutable) return;
  const detail = "field is immutable when `immutable` is set";
  if (!now.immutable) errors.forbidden("immutable", detail);
  for (const name of ["data", "binaryData"] as const) {
    if (!deepEqual(now[name] ?? {}, old[name] ?? {})) errors.forbidden(name, detail);
  }
}

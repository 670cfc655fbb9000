import type { FieldErrors } from "./field-errors.ts";

const ACCESS_MODES: readonly string[] = [
  "ReadOnlyMany",
  "ReadWriteMany",
  "ReadWriteOnce",
  "ReadWriteOncePod",
];

export function validateModes(errors: FieldErrors, modes: readonly string[] = []): void {
  for (const [index, mode] of modes.entries()) {
    errors.oneOf(`spec.accessModes[${index}]`, mode, ACCESS_MODES);
  }
}

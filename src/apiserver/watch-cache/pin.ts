import type { Attributes } from "./cached-object.ts";

/** A value that an object must have for a selection to match: indexes find the selection by it. */
export interface Pin {
  of: "fields" | "labels";
  name: string;
  value: string;
}

/** What stands where a pin looks. Absent fields are "", absent labels `undefined`. */
export function valueAt(
  attributes: Attributes,
  { of, name }: Omit<Pin, "value">,
): string | undefined {
  return of === "fields" ? (attributes.fields[name] ?? "") : attributes.labels[name];
}

/** Pins of one dimension look at the same place. */
export function dimensionOf({ of, name }: Omit<Pin, "value">): string {
  return `${of}/${name}`;
}

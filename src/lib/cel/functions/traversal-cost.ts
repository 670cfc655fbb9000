import { ListValue, MapValue, type Value } from "../values.ts";

const PER_BYTE = 0.1;

/** What it costs to go through a value with all that it holds. */
export function traversalCost(value: Value): number {
  if (typeof value === "string")
    return Math.floor(new TextEncoder().encode(value).length * PER_BYTE);
  if (value instanceof Uint8Array) return Math.floor(value.length * PER_BYTE);
  let cost = 0;
  if (value instanceof ListValue) {
    for (const item of value) cost += traversalCost(item);
    return cost;
  }
  if (!(value instanceof MapValue)) return 1;
  for (const key of value.keys())
    cost += traversalCost(key) + traversalCost(value.get(key) ?? null);
  return cost;
}

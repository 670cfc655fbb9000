/** Resolves `intstr.IntOrString`: 3, "3" or "25%" of `total`. Undefined resolves to undefined. */
export function resolveIntOrPercent(
  value: number | string | undefined,
  of: { total: number; round: "up" | "down" },
): number | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  const amount = Number.parseInt(text, 10);
  if (!text.endsWith("%")) return amount;
  const share = (amount * of.total) / 100;
  return of.round === "up" ? Math.ceil(share) : Math.floor(share);
}

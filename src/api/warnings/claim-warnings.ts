import { parseQuantity, QuantityError } from "../../lib/quantity.ts";
import type { PersistentVolumeClaimSpec } from "../generated/types/core-v1.ts";

const NANOS = 1_000_000_000n;

/** A complaint about a part of a byte. */
export function fractionWarnings(path: string, amount: string | undefined): string[] {
  if (amount === undefined) return [];
  try {
    if (parseQuantity(amount).nanos % NANOS === 0n) return [];
  } catch (error) {
    if (error instanceof QuantityError) return [];
    throw error;
  }
  const value = JSON.stringify(amount);
  return [`${path}: fractional byte value ${value} is invalid, must be an integer`];
}

/** Warnings of what a claim asks for. */
export function claimWarnings(path: string, spec: PersistentVolumeClaimSpec | undefined): string[] {
  return (["requests", "limits"] as const).flatMap((list) =>
    fractionWarnings(`${path}.resources.${list}[storage]`, spec?.resources?.[list]?.["storage"]),
  );
}

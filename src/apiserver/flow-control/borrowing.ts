import type { PriorityLevelConfigurationSpec } from "../../api/generated/types/flowcontrol-v1.ts";

/** What a level may have, and what it wants. */
export interface LevelDemand {
  /** Seats of its own. */
  nominal: number;
  /** Of these the others may use so many while it does not need them. */
  lendable: number;
  /** So many it may use of the others. */
  borrowing: number;
  /** The most seats that its requests wanted at once since the last time. */
  peak: number;
}

/** Halves the range of an answer that is rounded to a whole number of seats. */
const STEPS = 40;

/** How many seats of a level may be lent and borrowed. Source: KEP-1040, `borrowing`. */
export function lendingOf(
  { limited }: PriorityLevelConfigurationSpec,
  nominal: number,
): Pick<LevelDemand, "lendable" | "borrowing"> {
  const share = (percent: number) => Math.round((nominal * percent) / 100);
  const { lendablePercent = 0, borrowingLimitPercent } = limited ?? {};
  return {
    lendable: share(lendablePercent),
    borrowing: borrowingLimitPercent === undefined ? Infinity : share(borrowingLimitPercent),
  };
}

/**
 * The seats of each level now. None gets less than it needs of its own, nor less than it does not
 * lend; what is left goes to those who want more, in proportion to what they want.
 */
export function shareSeats(levels: readonly LevelDemand[]): number[] {
  const seats = levels.reduce((sum, { nominal }) => sum + nominal, 0);
  const bounds = levels.map(({ nominal, lendable, borrowing, peak }) => {
    const low = Math.max(nominal - lendable, Math.min(nominal, peak));
    return { low, high: nominal + borrowing, wanted: Math.max(low, peak, 1) };
  });
  const at = (fraction: number) =>
    bounds.map(({ low, high, wanted }) => Math.min(high, Math.max(low, fraction * wanted)));
  const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  let [small, large] = [0, Math.max(1, seats)];
  for (let step = 0; step < STEPS; step++) {
    const middle = (small + large) / 2;
    if (sumOf(at(middle)) <= seats) small = middle;
    else large = middle;
  }
  return at(small).map((value) => Math.max(1, Math.round(value)));
}

/** The least and the most of a cost or of a size: characters, bytes, items or entries. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What nothing bounds. The reference implementation counts in 64 bits and stops at their end. */
export const UNBOUNDED: number = 2 ** 64;

export const NOTHING: Range = { min: 0, max: 0 };
export const ONE: Range = { min: 1, max: 1 };
export const ANY_SIZE: Range = { min: 0, max: UNBOUNDED };

export function exactly(count: number): Range {
  return { min: count, max: count };
}

export function plus(...ranges: readonly Range[]): Range {
  let min = 0;
  let max = 0;
  for (const range of ranges) {
    min += range.min;
    max += range.max;
  }
  return bounded(min, max);
}

export function times(a: Range, b: Range): Range {
  return bounded(a.min * b.min, a.max * b.max);
}

/** The range times a factor, rounded up. */
export function scaled({ min, max }: Range, factor: number): Range {
  return bounded(Math.ceil(min * factor), Math.ceil(max * factor));
}

/** The smallest range that covers both. */
export function union(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

function bounded(min: number, max: number): Range {
  return { min: Math.min(min, UNBOUNDED), max: Math.min(max, UNBOUNDED) };
}

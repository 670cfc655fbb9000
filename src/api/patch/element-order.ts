/** The member that tells elements of a list apart; `undefined` for lists of plain values. */
export type MergeKey = string | undefined;

/** What tells an element apart: the value of its merge key, or the element itself. */
export function partitionKeyOf(element: unknown, mergeKey: MergeKey): unknown {
  if (mergeKey === undefined || typeof element !== "object" || element === null) return element;
  return (element as Record<string, unknown>)[mergeKey];
}

/**
 * Orders a merged list: elements that `wanted` names stand in its order, the others in the order
 * they have in `live`, and both are interleaved so that an unnamed element stays before a named
 * one if it stood before it in `live`. Named elements that are new therefore come first.
 */
export function arrange(
  merged: readonly unknown[],
  by: { wanted: readonly unknown[]; live: readonly unknown[]; mergeKey: MergeKey },
): unknown[] {
  const ranksOf = (list: readonly unknown[]) => {
    const ranks = new Map<unknown, number>();
    list.forEach((item, at) => {
      const key = partitionKeyOf(item, by.mergeKey);
      if (!ranks.has(key)) ranks.set(key, at);
    });
    return (item: unknown) => ranks.get(partitionKeyOf(item, by.mergeKey));
  };
  const wantedRank = ranksOf(by.wanted);
  const liveRank = ranksOf(by.live);
  const byRank = (rank: typeof liveRank) => (a: unknown, b: unknown) =>
    (rank(a) ?? Number.MAX_SAFE_INTEGER) - (rank(b) ?? Number.MAX_SAFE_INTEGER);
  const named = merged.filter((item) => wantedRank(item) !== undefined).sort(byRank(wantedRank));
  const others = merged.filter((item) => wantedRank(item) === undefined).sort(byRank(liveRank));
  const result: unknown[] = [];
  let at = 0;
  for (const other of others) {
    const place = liveRank(other);
    while (at < named.length) {
      const namedPlace = liveRank(named[at]);
      if (place !== undefined && namedPlace !== undefined && place < namedPlace) break;
      result.push(named[at++]);
    }
    result.push(other);
  }
  return [...result, ...named.slice(at)];
}

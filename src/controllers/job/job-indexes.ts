/** Reads `1,3-5,7` as in `status.completedIndexes`; indexes at or above `end` are dropped. */
export function parseIndexes(text: string | undefined, end: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? "").split(",")) {
    if (part === "") continue;
    const [first, last = first] = part.split("-").map(Number);
    if (first === undefined || last === undefined) continue;
    for (let index = first; index <= last && index < end; index++) indexes.add(index);
  }
  return indexes;
}

/** The shortest such text; two neighbours are listed, three and more become a range. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    if (end - at >= 2) parts.push(`${sorted[at]}-${sorted[end]}`);
    else parts.push(...sorted.slice(at, end + 1).map(String));
    at = end + 1;
  }
  return parts.join(",");
}

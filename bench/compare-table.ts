/** One line of a comparison. */
export interface Comparison {
  /** Name of the figure. */
  name: string;
  unit: string;
  better: "more" | "less";
  /** What the ratio should reach; none where the bar is an absolute one. */
  bar?: number;
}

/** Figures of one side. */
export interface Side {
  name: string;
  figures: Readonly<Record<string, number>>;
}

/** A Markdown table; a ratio above 1 says how much better the first side is. */
export function comparisonTable(
  rows: readonly Comparison[],
  [ours, theirs]: readonly [Side, Side],
): string {
  const lines = rows.map(({ name, unit, better, bar }) => {
    const own = ours.figures[name] ?? Number.NaN;
    const other = theirs.figures[name] ?? Number.NaN;
    const ratio = better === "more" ? own / other : other / own;
    const cells = [`${name} (${unit})`, `${own}`, `${other}`, ratio.toFixed(1), `${bar ?? "–"}`];
    return `| ${cells.join(" | ")} |`;
  });
  const head = ["What", ours.name, theirs.name, "times better", "bar"];
  return [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...lines].join("\n");
}

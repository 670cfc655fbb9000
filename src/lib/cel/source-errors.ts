import { lengthOf } from "./code-points.ts";

/** Something wrong with an expression, at an offset in its text. */
export interface Issue {
  readonly at: number;
  readonly message: string;
}

/** Complaints as users know them: the place, the line, and a mark below the column. */
export function formatIssues(source: string, issues: readonly Issue[]): string {
  return issues
    .toSorted((a, b) => a.at - b.at)
    .map((issue) => formatIssue(source, issue))
    .join("\n");
}

function formatIssue(source: string, { at, message }: Issue): string {
  const before = source.slice(0, at);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = before.split("\n").length;
  const column = lengthOf(before.slice(lineStart));
  const end = source.indexOf("\n", lineStart);
  const text = source.slice(lineStart, end < 0 ? undefined : end).replaceAll("\t", " ");
  const mark = `${".".repeat(column)}^`;
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${text}\n | ${mark}`;
}

/** Evaluation went wrong; `&&`, `||` and the macros built on them may absorb it. */
export class CelError extends Error {
  override readonly name = "CelError";
}

/** The evaluation costs more than it may; nothing absorbs this. */
export class CostExceededError extends Error {
  override readonly name = "CostExceededError";

  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}

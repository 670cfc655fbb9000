/** One line of a container's log, in the format of the container runtime interface. */
export interface LogLine {
  /** RFC 3339 with nanoseconds; "Z" where the monitor writes an offset of nothing. */
  time: string;
  stream: "stdout" | "stderr";
  /** The monitor cut a long line here: the next entry of the stream goes on with it. */
  partial: boolean;
  /** Without the newline. */
  content: Buffer;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;

/**
 * Parses one line `2026-01-02T03:04:05.678901234Z stdout F text`. Undefined for anything else: a
 * crash can cut the last line short.
 */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  const third = line.indexOf(SPACE, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const stream = line.toString("latin1", first + 1, second);
  const tag = line.toString("latin1", second + 1, third);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  return {
    time: line.toString("latin1", 0, first).replace("+00:00", "Z"),
    stream,
    // Of tags that no monitor writes yet, the first tells.
    partial: tag.split(":", 1)[0] === "P",
    content: line.subarray(third + 1),
  };
}

/** Splits chunks into lines; keeps an incomplete one until its rest arrives. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** Complete lines of what was pushed so far, without their newlines. */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const lines: Buffer[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      lines.push(bytes.subarray(from, at));
      from = at + 1;
    }
    this.#rest = bytes.subarray(from);
    return lines;
  }
}

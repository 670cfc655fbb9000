const TEXT_MAX = 1024;

/** Size of a terminal in characters. */
interface TerminalSize {
  columns: number;
  rows: number;
}

/** Reads sizes (`{"Width":80,"Height":24}`, one after another) however they were cut. */
export function terminalSizeReader(
  handler: (size: TerminalSize) => void,
): (bytes: Uint8Array) => void {
  let text = "";
  return (bytes) => {
    text += Buffer.from(bytes).toString("latin1");
    for (let end = text.indexOf("}"); end >= 0; end = text.indexOf("}")) {
      const size = parseSize(text.slice(0, end + 1));
      text = text.slice(end + 1);
      if (size) handler(size);
    }
    if (text.length > TEXT_MAX) text = "";
  };
}

function parseSize(text: string): TerminalSize | undefined {
  const valid = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) > 0 && Number(value) <= 65_535;
  try {
    const { Width: columns, Height: rows } = JSON.parse(text) as Record<string, unknown>;
    return valid(columns) && valid(rows) ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Container } from "../../api/generated/types/core-v1.ts";
import type { ContainerStatus } from "../runtime/contract.ts";

const MESSAGE_MAX_BYTES = 4096;
const LOG_TAIL_BYTES = 2048;
const LOG_TAIL_LINES = 80;
/** Every log line carries a time, a stream and a tag beside its text. */
const LOG_READ_BYTES = LOG_TAIL_BYTES + LOG_TAIL_LINES * 48;

/** What an ended container says for itself, by `terminationMessagePolicy`. */
export function terminationMessage(
  container: Container,
  options: { status: ContainerStatus; file: string },
): string {
  const message = readPart(options.file, { bytes: MESSAGE_MAX_BYTES, end: true });
  const fallback = container.terminationMessagePolicy === "FallbackToLogsOnError";
  if (message || !fallback || options.status.exitCode === 0) return message;
  return logTail(readPart(options.status.logPath, { bytes: LOG_READ_BYTES, end: true }));
}

/** Missing files read as empty: a container may remove or never write its message. */
function readPart(file: string, part: { bytes: number; end: boolean }): string {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch {
    return "";
  }
  try {
    const buffer = Buffer.alloc(part.bytes);
    const position = part.end ? Math.max(0, fstatSync(fd).size - part.bytes) : 0;
    return buffer.toString("utf8", 0, readSync(fd, buffer, 0, part.bytes, position));
  } finally {
    closeSync(fd);
  }
}

/** Texts of the last lines of a log in CRI format: "<time> <stream> <P|F> <text>". */
function logTail(text: string): string {
  const lines = text.split("\n").slice(-LOG_TAIL_LINES - 1);
  let result = "";
  for (const line of lines) {
    const [, partial, content] = /^\S+ (?:stdout|stderr) ([PF])\S* ?(.*)$/.exec(line) ?? [];
    if (partial !== undefined) result += partial === "P" ? content : `${content}\n`;
  }
  return result.slice(-LOG_TAIL_BYTES);
}

import { constants } from "node:fs";
import { type FileHandle, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { parseLogLine } from "./cri-log.ts";

const WINDOW_BYTES = 64 << 10;
const unpack: (bytes: Buffer) => Promise<Buffer> = promisify(gunzip);

/** Where the last lines of a text begin, and how many there are. */
export interface Tail {
  offset: number;
  lines: number;
}

/** The text of a compressed part. */
export async function readCompressed(file: string): Promise<Buffer> {
  return await unpack(await readFile(file, { flag: constants.O_RDONLY | constants.O_NOFOLLOW }));
}

/** Finds the last `count` lines of a file; entries that continue a line belong to it. */
export async function tailOfFile(file: FileHandle, count: number): Promise<Tail> {
  const { size } = await file.stat();
  if (count <= 0) return { offset: size, lines: 0 };
  for (let window = WINDOW_BYTES; ; window *= 4) {
    const start = Math.max(0, size - window);
    const bytes = Buffer.alloc(size - start);
    await file.read(bytes, 0, bytes.length, start);
    const tail = tailOfText(bytes, { count, whole: start === 0 });
    if (tail) return { ...tail, offset: start + tail.offset };
  }
}

/** The same in a text; undefined when it is not `whole` and does not reach back far enough. */
export function tailOfText(
  bytes: Buffer,
  { count, whole }: { count: number; whole: boolean },
): Tail | undefined {
  const starts: number[] = [];
  let from = whole ? 0 : bytes.indexOf(0x0a) + 1;
  let beginsLine = whole;
  while (from < bytes.length) {
    const newline = bytes.indexOf(0x0a, from);
    if (newline < 0) break;
    if (beginsLine) starts.push(from);
    beginsLine = parseLogLine(bytes.subarray(from, newline))?.partial === false;
    from = newline + 1;
  }
  const offset = starts[starts.length - count];
  if (offset !== undefined) return { offset, lines: count };
  return whole ? { offset: 0, lines: starts.length } : undefined;
}

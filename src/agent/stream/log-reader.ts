import { type FSWatcher, watch } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import type { LogOptions } from "./contract.ts";
import { LineSplitter, parseLogLine } from "./cri-log.ts";

/** A container's log on disk. */
export interface LogFile {
  path: string;
  /** Whether the container may still write. */
  isLive: () => boolean;
  /** Calls back when the container has ended. */
  onEnd: (handler: () => void) => Disposable;
}

const CHUNK_BYTES = 64 << 10;
const NEWLINE = Buffer.from("\n");

/**
 * The log as `kubectl logs` prints it. With `follow` it ends when the container has ended and
 * everything was read, or when `signal` aborts. A log that does not exist yet is empty.
 */
export async function readLog(
  source: LogFile,
  options: LogOptions,
  signal: AbortSignal,
): Promise<Readable> {
  const file = await openIfPresent(source.path);
  if (!file) return Readable.from([]);
  let from = 0;
  try {
    if (options.tailLines !== undefined) from = await findTail(file, options.tailLines);
  } catch (error) {
    await file.close();
    throw error;
  }
  return Readable.from(entries({ file, source, from }, options, signal), { objectMode: false });
}

async function openIfPresent(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function* entries(
  at: { file: FileHandle; source: LogFile; from: number },
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const changes = options.follow ? watchFile(at.source, signal) : undefined;
  const print = createPrinter(options);
  try {
    for await (const lines of readLines(at, { changes, signal })) {
      const output = print(lines);
      if (output.length > 0) yield output;
      if (print.full()) return;
    }
  } finally {
    changes?.close();
    await at.file.close();
  }
}

/** Lines from `from` on; at the end, waits for more while the container may write. */
async function* readLines(
  { file, source, from }: { file: FileHandle; source: LogFile; from: number },
  { changes, signal }: { changes: FileChanges | undefined; signal: AbortSignal },
): AsyncGenerator<Buffer[]> {
  const splitter = new LineSplitter();
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let position = from;
  for (;;) {
    // Asked before reading: what was written until it ended is then read for certain.
    const mayGrow = source.isLive();
    let bytesRead: number;
    do {
      if (signal.aborted) return;
      ({ bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position));
      position += bytesRead;
      if (bytesRead > 0) yield splitter.push(Buffer.from(chunk.subarray(0, bytesRead)));
    } while (bytesRead > 0);
    if (!changes || !mayGrow) return;
    await changes.next();
  }
}

interface FileChanges {
  /** Resolves at the next change since it resolved last. */
  next(): Promise<void>;
  close(): void;
}

/** Writes to the file, the end of its container, and the end of the reader's interest. */
function watchFile(source: LogFile, signal: AbortSignal): FileChanges {
  let changed = false;
  let wake: (() => void) | undefined;
  const notify = () => {
    changed = true;
    wake?.();
  };
  const watcher: FSWatcher = watch(source.path, { persistent: false }, notify);
  watcher.on("error", notify);
  const ended = source.onEnd(notify);
  signal.addEventListener("abort", notify, { once: true });
  return {
    async next() {
      if (!changed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      wake = undefined;
      changed = false;
    },
    close() {
      signal.removeEventListener("abort", notify);
      ended[Symbol.dispose]();
      watcher.close();
    },
  };
}

/** Turns raw lines into output, with the options' filters applied. */
function createPrinter(options: LogOptions): {
  (lines: readonly Buffer[]): Buffer;
  /** The byte limit is reached. */
  full(): boolean;
} {
  const { timestamps = false, limitBytes = Number.POSITIVE_INFINITY, sinceTimeMs } = options;
  const since = sinceTimeMs ?? 0;
  let left = limitBytes;
  let midLine = false;
  const print = (lines: readonly Buffer[]): Buffer => {
    const parts: Buffer[] = [];
    for (const raw of lines) {
      const line = parseLogLine(raw);
      if (!line || (since > 0 && Date.parse(line.time) < since)) continue;
      if (timestamps && !midLine) parts.push(Buffer.from(`${line.time} `));
      parts.push(line.content);
      if (!line.partial) parts.push(NEWLINE);
      midLine = line.partial;
    }
    const output = Buffer.concat(parts);
    const allowed = output.length > left ? output.subarray(0, left) : output;
    left -= allowed.length;
    return allowed;
  };
  return Object.assign(print, { full: () => left <= 0 });
}

/** Offset at which the last `count` lines begin; entries that continue a line belong to it. */
async function findTail(file: FileHandle, count: number): Promise<number> {
  const { size } = await file.stat();
  if (count <= 0) return size;
  for (let window = CHUNK_BYTES; ; window *= 4) {
    const start = Math.max(0, size - window);
    const bytes = Buffer.alloc(size - start);
    await file.read(bytes, 0, bytes.length, start);
    const offset = tailOffset(bytes, { count, whole: start === 0 });
    if (offset !== undefined) return start + offset;
  }
}

/** Undefined when `bytes` do not reach back far enough. */
function tailOffset(
  bytes: Buffer,
  { count, whole }: { count: number; whole: boolean },
): number | undefined {
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
  if (starts.length >= count) return starts[starts.length - count];
  return whole ? 0 : undefined;
}

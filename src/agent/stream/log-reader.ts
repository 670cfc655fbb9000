import { constants, type FSWatcher, statSync, watch } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { StatusError } from "../../api/errors.ts";
import { type RotatedLog, rotatedLogs } from "../log-files.ts";
import type { LogOptions } from "./contract.ts";
import { LineSplitter, parseLogLine } from "./cri-log.ts";
import { readCompressed, type Tail, tailOfFile, tailOfText } from "./log-tail.ts";

/** A container's log on disk. */
export interface LogFile {
  /** The part that is being written; those before it lie beside it. */
  path: string;
  /** Whether the container may still write. */
  isLive: () => boolean;
  /** Calls back when the container has ended. */
  onEnd: (handler: () => void) => Disposable;
}

/** How a log is being read. */
interface Reading {
  source: LogFile;
  options: LogOptions;
  signal: AbortSignal;
  changes: LogChanges | undefined;
}

const CHUNK_BYTES = 64 << 10;
const NEWLINE = Buffer.from("\n");

/**
 * The log as `kubectl logs` prints it, from its oldest part on. With `follow` it ends when the
 * container has ended and everything was read, or when `signal` aborts. A log that does not exist
 * yet is empty.
 */
export function readLog(
  source: LogFile,
  options: LogOptions,
  signal: AbortSignal,
): Promise<Readable> {
  const text = entries({ source, options, signal });
  return Promise.resolve(Readable.from(text, { objectMode: false }));
}

/** @throws StatusError Forbidden for a link: a pod may put one there, to any file of the node */
async function openIfPresent(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") throw new StatusError("Forbidden", `${file} is a link, and no log`);
    throw error;
  }
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

async function* entries(asked: Omit<Reading, "changes">): AsyncGenerator<Buffer> {
  const { source, options, signal } = asked;
  const print = createPrinter(options);
  let changes: LogChanges | undefined;
  try {
    const exists = inodeOf(path.dirname(source.path)) !== undefined;
    if (options.follow && exists) changes = watchLog(source, signal);
    for await (const lines of readParts({ ...asked, changes })) {
      const output = print(lines);
      if (output.length > 0) yield output;
      if (print.full()) return;
    }
  } finally {
    changes?.close();
  }
}

/** Lines of all parts, then of what follows them. */
async function* readParts(reading: Reading): AsyncGenerator<Buffer[]> {
  const { source, options, signal, changes } = reading;
  let file = await openIfPresent(source.path);
  try {
    // Parts that were put aside while the file was opened come after it, not before.
    const inode = file && (await file.stat()).ino;
    const parts = rotatedLogs(source.path).filter((part) => inodeOf(part.path) !== inode);
    const start = await findStart({ file, parts }, options);
    for (const { part, from } of start.parts) {
      if (signal.aborted) return;
      yield await linesOfPart(part, from);
    }
    let from = start.from;
    while (file) {
      yield* readFile(file, { from, reading });
      const next = changes && !signal.aborted ? await successor(file, reading) : undefined;
      await file.close();
      file = next;
      from = 0;
    }
  } finally {
    await file?.close();
  }
}

/** With which part, and where in it, the reader's wish begins. */
async function findStart(
  { file, parts }: { file: FileHandle | undefined; parts: readonly RotatedLog[] },
  { tailLines, sinceTimeMs = 0 }: LogOptions,
): Promise<{ parts: { part: RotatedLog; from: number }[]; from: number }> {
  // What was written last before that time cannot be of interest.
  const fresh = parts.filter(({ path: part }) => {
    return (statSync(part, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= sinceTimeMs;
  });
  if (tailLines === undefined) {
    return { parts: fresh.map((part) => ({ part, from: 0 })), from: 0 };
  }
  const last = file ? await tailOfFile(file, tailLines) : { offset: 0, lines: 0 };
  let wanted = tailLines - last.lines;
  const chosen: { part: RotatedLog; from: number }[] = [];
  for (const part of fresh.toReversed()) {
    if (wanted <= 0) break;
    const { offset, lines } = await tailOfPart(part, wanted);
    chosen.unshift({ part, from: offset });
    wanted -= lines;
  }
  return { parts: chosen, from: last.offset };
}

async function textOfPart({ path: part, compressed }: RotatedLog): Promise<Buffer> {
  if (compressed) return await readCompressed(part);
  const file = await openIfPresent(part);
  try {
    return (await file?.readFile()) ?? Buffer.alloc(0);
  } finally {
    await file?.close();
  }
}

/** A part is as long as rotation lets a log grow: a few megabytes. */
async function tailOfPart(part: RotatedLog, count: number): Promise<Tail> {
  const none = { offset: 0, lines: 0 };
  return tailOfText(await textOfPart(part), { count, whole: true }) ?? none;
}

async function linesOfPart(part: RotatedLog, from: number): Promise<Buffer[]> {
  try {
    return new LineSplitter().push((await textOfPart(part)).subarray(from));
  } catch (error) {
    // The oldest part may be removed while it is the turn of another.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Lines from `from` on; at the end, waits for more while the container writes to this file. */
async function* readFile(
  file: FileHandle,
  { from, reading }: { from: number; reading: Reading },
): AsyncGenerator<Buffer[]> {
  const { source, changes, signal } = reading;
  const { ino } = await file.stat();
  const splitter = new LineSplitter();
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let position = from;
  for (;;) {
    // Asked before reading: what was written until then is then read for certain.
    const mayGrow = source.isLive();
    const newest = inodeOf(source.path);
    let bytesRead: number;
    do {
      if (signal.aborted) return;
      ({ bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position));
      position += bytesRead;
      if (bytesRead > 0) yield splitter.push(Buffer.from(chunk.subarray(0, bytesRead)));
    } while (bytesRead > 0);
    const replaced = newest !== undefined && newest !== ino;
    if (!changes || replaced || !mayGrow) return;
    await changes.next();
  }
}

/** The file that took the place of one that was put aside. */
async function successor(file: FileHandle, { source }: Reading): Promise<FileHandle | undefined> {
  const { ino } = await file.stat();
  const parts = rotatedLogs(source.path).filter(({ compressed }) => !compressed);
  const files = [...parts.map((part) => part.path), source.path];
  const at = files.findIndex((name) => inodeOf(name) === ino);
  // A reader so slow that its part is gone goes on with the oldest that it can follow.
  const next = files[at + 1];
  return next === undefined ? undefined : await openIfPresent(next);
}

interface LogChanges {
  /** Resolves at the next change since it resolved last. */
  next(): Promise<void>;
  close(): void;
}

/** Writes to the log, its rotation, the end of its container, and of the reader's interest. */
function watchLog(source: LogFile, signal: AbortSignal): LogChanges {
  let changed = false;
  let wake: (() => void) | undefined;
  const notify = () => {
    changed = true;
    wake?.();
  };
  const directory = path.dirname(source.path);
  const watcher: FSWatcher = watch(directory, { persistent: false }, notify);
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
      if (!line) continue;
      const begins = !midLine;
      // Of a line whose begin is left out, too, the rest is no new one.
      midLine = line.partial && line.content.length > 0;
      if (since > 0 && Date.parse(line.time) < since) continue;
      if (timestamps && begins) parts.push(Buffer.from(`${line.time} `));
      parts.push(line.content);
      if (!line.partial) parts.push(NEWLINE);
    }
    const output = Buffer.concat(parts);
    const allowed = output.length > left ? output.subarray(0, left) : output;
    left -= allowed.length;
    return allowed;
  };
  return Object.assign(print, { full: () => left <= 0 });
}

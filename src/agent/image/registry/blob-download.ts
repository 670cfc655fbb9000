import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  fstatSync,
  ftruncateSync,
  openSync,
  writeSync,
} from "node:fs";
import type { IncomingMessage } from "node:http";
import { type BackoffPolicy, backoffDelayMs } from "../../../lib/backoff.ts";
import { type Clock, sleep } from "../../../lib/clock.ts";
import { tryLock } from "../../../sys/file.ts";
import { ImageError } from "../contract.ts";
import type { ImageFailpoint } from "../failpoints.ts";
import { RegistryError } from "./registry-error.ts";
import type { RegistrySession } from "./registry-session.ts";

/** A blob that is wanted in a file. */
export interface BlobRequest {
  digest: string;
  sizeBytes: number;
  /** Goes on where an earlier download ended. Other processes may want the same. */
  file: string;
  signal?: AbortSignal | undefined;
}

/** Where from. */
export interface DownloadContext {
  session: RegistrySession;
  clock: Clock;
  failpoint: ImageFailpoint;
}

/** Tries in a row that bring nothing. */
const FRUITLESS_MAX = 5;
const RETRY_POLICY: BackoffPolicy = { baseMs: 500, maxMs: 8_000 };
const LOCK_RETRY_MS = 50;

/**
 * Resolves when the file holds the blob, proven by its digest. A broken connection is taken up
 * where it broke, also by a later call. @throws ImageError "digest-mismatch", RegistryError, ENOSPC
 */
export async function downloadBlob(request: BlobRequest, context: DownloadContext): Promise<void> {
  const { digest, sizeBytes, file, signal } = request;
  using target = await openLocked(file, { clock: context.clock, signal });
  let hash = createHash("sha256");
  let length = fstatSync(target.fd).size;
  const restart = () => {
    ftruncateSync(target.fd, 0);
    hash = createHash("sha256");
    length = 0;
  };
  if (length > sizeBytes) restart();
  if (length > 0) for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  for (let fruitless = 0; length < sizeBytes; ) {
    const before = length;
    try {
      const answer = await askFrom(length, request, context);
      if (answer.statusCode !== 206 && length > 0) restart();
      await append(answer, (chunk) => {
        if (length + chunk.length > sizeBytes) throw tooLong(request, context);
        writeAll(target.fd, chunk);
        hash.update(chunk);
        length += chunk.length;
        context.failpoint("download-begun");
      });
    } catch (error) {
      if (!isWorthAnotherTry(error) || signal?.aborted) throw error;
      fruitless = length > before ? 0 : fruitless + 1;
      if (fruitless >= FRUITLESS_MAX) throw error;
      await sleep(context.clock, backoffDelayMs(RETRY_POLICY, fruitless + 1), signal);
    }
    signal?.throwIfAborted();
  }
  const actual = `sha256:${hash.digest("hex")}`;
  if (actual === digest) return;
  restart();
  const message = `registry ${context.session.host} sent a blob ${actual} for ${digest}`;
  throw new ImageError("digest-mismatch", message);
}

async function askFrom(
  start: number,
  { digest, signal }: BlobRequest,
  { session }: DownloadContext,
): Promise<IncomingMessage> {
  const range = start > 0 ? { range: `bytes=${start}-` } : {};
  const headers = { accept: "application/octet-stream, */*", ...range };
  const answer = await session.ask({ method: "GET", path: `/blobs/${digest}`, headers, signal });
  const from = /^bytes (\d+)-/.exec(answer.headers["content-range"] ?? "")?.[1];
  if (answer.statusCode !== 206 || Number(from) === start) return answer;
  answer.destroy();
  const message = `registry ${session.host} answers with other bytes of ${digest} than asked`;
  throw new RegistryError("malformed", message);
}

/** @throws RegistryError "unavailable" when the connection breaks */
async function append(answer: IncomingMessage, take: (chunk: Buffer) => void): Promise<void> {
  try {
    const chunks = answer[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (;;) {
      const next = await chunks.next().catch((cause: unknown) => {
        const { message } = cause as Error;
        throw new RegistryError("unavailable", `a download broke off: ${message}`, { cause });
      });
      if (next.done) return;
      take(next.value);
    }
  } finally {
    answer.destroy();
  }
}

function isWorthAnotherTry(error: unknown): boolean {
  return error instanceof RegistryError && ["unavailable", "unreached"].includes(error.code);
}

function tooLong({ digest, sizeBytes }: BlobRequest, { session }: DownloadContext): ImageError {
  const message = `registry ${session.host} sent more than the ${sizeBytes} bytes of ${digest}`;
  return new ImageError("digest-mismatch", message);
}

/** Waits until no other process writes the file, which may be a new one by then. */
async function openLocked(
  file: string,
  { clock, signal }: { clock: Clock; signal: AbortSignal | undefined },
): Promise<Disposable & { fd: number }> {
  for (;;) {
    signal?.throwIfAborted();
    const fd = openSync(file, "a+", 0o600);
    // A file that was removed meanwhile is nobody's any more.
    const isOurs = tryLock(fd) && fstatSync(fd).nlink > 0;
    if (isOurs) return { fd, [Symbol.dispose]: () => closeSync(fd) };
    closeSync(fd);
    await sleep(clock, LOCK_RETRY_MS, signal);
  }
}

function writeAll(fd: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
}

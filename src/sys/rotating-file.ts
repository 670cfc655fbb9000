import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  writev,
  writevSync,
} from "node:fs";
import path from "node:path";

/** How large the files become, how many are kept, and how much may wait in memory. */
export interface RotatingFileLimits {
  fileMaxBytes: number;
  /** With the one that is written. */
  filesMax: number;
  waitingMaxBytes: number;
}

const LIMITS: RotatingFileLimits = {
  fileMaxBytes: 16 * 1024 * 1024,
  filesMax: 5,
  waitingMaxBytes: 4 * 1024 * 1024,
};

/** Lines wait as bytes, in pieces of this size: as texts they would be copied by collections. */
const PIECE_BYTES = 64 * 1024;

/** Every write wakes a thread, which costs more than a few hundred lines. */
const GATHER_MS = 20;

/**
 * Appends lines to a file without ever waiting for the disk; full files are renamed to `.1`, `.2`
 * and so on. Lines that find no room are dropped and counted. Disposing writes what waits.
 */
export class RotatingFile implements Disposable {
  readonly #file: string;
  readonly #limits: RotatingFileLimits;
  #descriptor: number;
  #sizeBytes: number;
  /** What waits, but for what is in the piece that is being filled. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #waitingLines = 0;
  #piece: Buffer | undefined;
  #filledBytes = 0;
  #writing = false;
  #dropped = 0;
  #closed = false;

  /** Creates the directory (0700) and the file (0600), or goes on where they end. */
  constructor(file: string, limits: Partial<RotatingFileLimits> = {}) {
    this.#file = file;
    this.#limits = { ...LIMITS, ...limits };
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    this.#descriptor = openSync(file, "a", 0o600);
    this.#sizeBytes = fstatSync(this.#descriptor).size;
  }

  /** How many lines were lost as the disk did not keep up, or refused them. */
  get dropped(): number {
    return this.#dropped;
  }

  write(line: string): void {
    if (this.#closed || this.#waitingBytes + line.length > this.#limits.waitingMaxBytes) {
      this.#dropped++;
      return;
    }
    this.#gather(line);
    if (this.#writing) return;
    this.#writing = true;
    // Later: what else is logged until then goes to the disk together.
    this.#flushSoon();
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const { pieces, lines } = this.#takeWaiting();
    try {
      if (lines > 0) writevSync(this.#descriptor, pieces);
    } catch {
      this.#dropped += lines;
    }
    if (!this.#writing) closeSync(this.#descriptor);
  }

  #gather(line: string): void {
    // Of a UTF-16 code unit no more than three bytes can come.
    const mostBytes = line.length * 3;
    if (this.#piece && this.#filledBytes + mostBytes > PIECE_BYTES) this.#endPiece();
    const piece = (this.#piece ??= Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, mostBytes)));
    const lineBytes = piece.write(line, this.#filledBytes);
    this.#filledBytes += lineBytes;
    this.#waitingBytes += lineBytes;
    this.#waitingLines++;
  }

  #endPiece(): void {
    if (this.#piece) this.#waiting.push(this.#piece.subarray(0, this.#filledBytes));
    this.#piece = undefined;
    this.#filledBytes = 0;
  }

  #takeWaiting(): { pieces: Buffer[]; sizeBytes: number; lines: number } {
    this.#endPiece();
    const taken = {
      pieces: this.#waiting,
      sizeBytes: this.#waitingBytes,
      lines: this.#waitingLines,
    };
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#waitingLines = 0;
    return taken;
  }

  #flushSoon(): void {
    setTimeout(() => this.#flush(), GATHER_MS).unref();
  }

  #flush(): void {
    const { pieces, sizeBytes, lines } = this.#takeWaiting();
    if (lines === 0) {
      this.#writing = false;
      if (this.#closed) closeSync(this.#descriptor);
      return;
    }
    if (this.#sizeBytes > 0 && this.#sizeBytes + sizeBytes > this.#limits.fileMaxBytes) {
      this.#rotate();
    }
    writev(this.#descriptor, pieces, (error, writtenBytes) => {
      // On a full disk some of the lines may have found room.
      if (error || writtenBytes < sizeBytes) this.#dropped += lines;
      this.#sizeBytes += error ? 0 : writtenBytes;
      this.#flushSoon();
    });
  }

  #rotate(): void {
    try {
      closeSync(this.#descriptor);
      for (let at = this.#limits.filesMax - 2; at >= 0; at--) {
        const from = at === 0 ? this.#file : `${this.#file}.${at}`;
        if (existsSync(from)) renameSync(from, `${this.#file}.${at + 1}`);
      }
    } finally {
      this.#descriptor = openSync(this.#file, "a", 0o600);
      this.#sizeBytes = fstatSync(this.#descriptor).size;
    }
  }
}

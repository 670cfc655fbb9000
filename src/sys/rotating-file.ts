import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  write,
  writeSync,
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
  #waiting: string[] = [];
  #waitingBytes = 0;
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
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (this.#writing) return;
    this.#writing = true;
    // Later: what else is logged until then goes to the disk together.
    this.#flushSoon();
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#waiting.length > 0) writeSync(this.#descriptor, this.#waiting.join(""));
    } catch {
      this.#dropped += this.#waiting.length;
    }
    this.#waiting = [];
    if (!this.#writing) closeSync(this.#descriptor);
  }

  #flushSoon(): void {
    setTimeout(() => this.#flush(), GATHER_MS).unref();
  }

  #flush(): void {
    const lines = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (lines.length === 0) {
      this.#writing = false;
      if (this.#closed) closeSync(this.#descriptor);
      return;
    }
    const bytes = Buffer.from(lines.join(""));
    if (this.#sizeBytes > 0 && this.#sizeBytes + bytes.byteLength > this.#limits.fileMaxBytes) {
      this.#rotate();
    }
    write(this.#descriptor, bytes, (error) => {
      if (error) this.#dropped += lines.length;
      else this.#sizeBytes += bytes.byteLength;
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

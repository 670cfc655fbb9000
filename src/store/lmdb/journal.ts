import { constants, type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { decodeRecords, type JournalRecord } from "./journal-codec.ts";

/** Bytes of each of the two files; a record never exceeds it. */
export const JOURNAL_FILE_BYTES: number = 2 << 20;

interface JournalFile {
  handle: FileHandle;
  /** Where the next record goes. */
  end: number;
  /** Sequence number of its last record; 0 when it holds none that matters. */
  lastSequence: number;
}

/**
 * Two files of fixed size, used in turns: while one is filled, what the other holds moves into the
 * tree. They are written full of zeros once, so that a record changes data blocks but no metadata
 * and costs the disk a single flush (O_DSYNC; open(2)).
 */
export class Journal implements AsyncDisposable {
  #active: JournalFile;
  #other: JournalFile;

  private constructor(active: JournalFile, other: JournalFile) {
    this.#active = active;
    this.#other = other;
  }

  /** Opens or creates the files; `records` is what they hold, by sequence, without gaps. */
  static async open(directory: string): Promise<{ journal: Journal; records: JournalRecord[] }> {
    const records: JournalRecord[] = [];
    const files: JournalFile[] = [];
    for (const name of ["journal-0", "journal-1"]) {
      const handle = await openFixed(path.join(directory, name));
      files.push({ handle, end: 0, lastSequence: 0 });
      const content = Buffer.alloc(JOURNAL_FILE_BYTES);
      await handle.read(content, 0, content.length, 0);
      records.push(...decodeRecords(content));
    }
    records.sort((a, b) => a.sequence - b.sequence);
    const [active, other] = files as [JournalFile, JournalFile];
    return { journal: new Journal(active, other), records };
  }

  /** Whether `append` has room; else `turn` first. */
  hasRoom(sizeBytes: number): boolean {
    return this.#active.end + sizeBytes <= JOURNAL_FILE_BYTES;
  }

  /** Resolves when the record is durable. On failure its place is free again. */
  async append(record: Buffer, sequence: number): Promise<void> {
    const file = this.#active;
    try {
      const { bytesWritten } = await file.handle.write(record, 0, record.length, file.end);
      if (bytesWritten !== record.length) {
        throw Object.assign(new Error("short write to the journal"), { code: "ENOSPC" });
      }
    } catch (error) {
      // Whatever arrived must not be taken for a record after a crash.
      await file.handle.write(Buffer.alloc(4), 0, 4, file.end);
      throw error;
    }
    file.end += record.length;
    file.lastSequence = sequence;
  }

  /** Continues in the other file, if all its records are in the tree. */
  turn(appliedSequence: number): boolean {
    if (this.#other.lastSequence > appliedSequence) return false;
    const filled = this.#active;
    this.#active = this.#other;
    this.#active.end = 0;
    this.#other = filled;
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#active.handle.close();
    await this.#other.handle.close();
  }
}

async function openFixed(file: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_DSYNC } = constants;
  const handle = await open(file, O_RDWR | O_CREAT | O_DSYNC, 0o600);
  try {
    const { size } = await handle.stat();
    if (size < JOURNAL_FILE_BYTES) {
      await handle.write(Buffer.alloc(JOURNAL_FILE_BYTES - size), 0, undefined, size);
      await handle.sync();
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

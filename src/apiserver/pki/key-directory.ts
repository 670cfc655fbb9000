import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import path from "node:path";

/** Files of secrets that only their owner may read; each write is atomic. */
export interface KeyDirectory {
  readonly path: string;
  read(name: string): string | undefined;
  /** `durable` waits for the disk: for what cannot be made again. */
  write(name: string, text: string, options?: { durable: boolean }): void;
}

/** Creates the directory (0700) when it does not exist. */
export function openKeyDirectory(directory: string): KeyDirectory {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  return {
    path: directory,
    read: (name) => {
      try {
        return readFileSync(path.join(directory, name), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    write: (name, text, { durable } = { durable: false }) => {
      const file = path.join(directory, name);
      const draft = `${file}.new`;
      const descriptor = openSync(draft, "w", 0o600);
      try {
        writeSync(descriptor, text);
        if (durable) fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      chmodSync(draft, 0o600);
      renameSync(draft, file);
    },
  };
}

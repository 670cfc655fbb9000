import { readdirSync } from "node:fs";
import path from "node:path";

/** A part of a log that was put aside when it had grown too long. */
export interface RotatedLog {
  path: string;
  compressed: boolean;
}

const COMPRESSED = ".gz";
const SUFFIX = /^\.\d{8}-\d{6}(?:\.gz)?$/;

/** Name for the part of `log` that is put aside at `nowMs`, as a kubelet gives it. */
export function rotatedPath(log: string, nowMs: number): string {
  const digits = new Date(nowMs).toISOString().replace(/[-:]/g, "");
  return `${log}.${digits.slice(0, 8)}-${digits.slice(9, 15)}`;
}

/** Name of the compressed form of a part. */
export function compressedPath(part: string): string {
  return `${part}${COMPRESSED}`;
}

/** The parts of `log` that were put aside, oldest first; none when there is no such directory. */
export function rotatedLogs(log: string): RotatedLog[] {
  const directory = path.dirname(log);
  const base = path.basename(log);
  let names: string[];
  try {
    // A link is no log: who may write beside logs could have any file of the node read with it.
    const entries = readdirSync(directory, { withFileTypes: true });
    names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch {
    return [];
  }
  return (
    names
      .filter((name) => name.startsWith(base) && SUFFIX.test(name.slice(base.length)))
      // A part that was being compressed when the agent died is still there as a whole.
      .filter((name) => !name.endsWith(COMPRESSED) || !names.includes(name.slice(0, -3)))
      .sort()
      .map((name) => ({
        path: path.join(directory, name),
        compressed: name.endsWith(COMPRESSED),
      }))
  );
}

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isOfDeadProcess, processIdentity } from "./process-identity.ts";

/** A directory that goes with what made it. */
export interface ScratchDirectory extends Disposable {
  path: string;
}

// What writes there yet, a server that was killed, has ended before these are over.
const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 } as const;

/**
 * Makes an empty directory, which is removed when it is disposed or this process exits; those of
 * processes that were killed before they could are removed first.
 */
export function makeScratchDirectory(prefix: string, parent: string = tmpdir()): ScratchDirectory {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(`${prefix}-`) || !isOfDeadProcess(name)) continue;
    rmSync(path.join(parent, name), REMOVAL);
  }
  const directory = mkdtempSync(path.join(parent, `${prefix}-${processIdentity()}-`));
  const remove = () => rmSync(directory, REMOVAL);
  process.once("exit", remove);
  return {
    path: directory,
    [Symbol.dispose]() {
      process.off("exit", remove);
      remove();
    },
  };
}

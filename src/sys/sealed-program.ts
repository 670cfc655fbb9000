import { closeSync, readFileSync, writeSync } from "node:fs";
import { check, libc } from "./libc.ts";

// SAFETY: koffi copies the string; the other arguments are integers. The descriptor belongs to the
// returned value.
const memfdCreateCall = libc.func("int memfd_create(const char *name, uint flags)");
const addSealsCall = libc.func("fcntl", "int", ["int", "int", "int"]);

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE. */
const ALL_SEALS = 0x0f;

/** A copy of a program in memory that nothing can change any more. */
export interface SealedProgram extends Disposable {
  /** Runs it, for as long as this process lives and has not disposed it. */
  readonly path: string;
}

/**
 * Copies an executable, a file or its content, into sealed memory. A process that runs it cannot be
 * made to overwrite the file on disk through /proc/PID/exe (CVE-2019-5736); OCI runtimes make such
 * a copy themselves at every start unless they are one. @throws SysError ENFILE, ENOENT
 * Source: memfd_create(2), fcntl(2) "File Sealing".
 */
export function sealProgram(executable: string | Uint8Array): SealedProgram {
  const content = typeof executable === "string" ? readFileSync(executable) : executable;
  const fd = check(memfdCreateCall("program", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
  try {
    for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
    check(addSealsCall(fd, F_ADD_SEALS, ALL_SEALS), "fcntl(F_ADD_SEALS)");
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let open = true;
  return {
    path: `/proc/${process.pid}/fd/${fd}`,
    [Symbol.dispose]() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

import { closeSync, openSync, realpathSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { mountsProgram } from "../../format/elf/mounts-program.ts";
import { placeProgram } from "../../format/elf/place-program.ts";
import type { Logger } from "../../lib/logger.ts";
import { makePipe } from "../../sys/file.ts";
import { type MountEntry, readMounts } from "../../sys/mount.ts";
import { reap, spawnProgram } from "../../sys/posix-spawn.ts";
import type { Failpoint } from "./failpoints.ts";
import { programMachine, writeProgram } from "./own-program.ts";

/**
 * What OCI runtimes and their libraries look at, beside their own directories: programs, devices,
 * what the kernel tells, and where a monitor has the socket of a terminal.
 */
const NEEDED = [
  ["/bin", "/sbin", "/lib", "/lib64", "/etc", "/tmp", "/usr/bin", "/usr/sbin", "/usr/lib"],
  ["/usr/lib64", "/proc", "/dev/pts", "/sys/fs/cgroup", "/sys/fs/selinux"],
  ["/sys/kernel/security"],
].flat();
const CGROUPS = "/sys/fs/cgroup";

/**
 * A mount namespace without the mounts of pods, of which a node has six a pod: an OCI runtime reads
 * and copies all that it sees, for every container. What one container needs is taken along.
 */
export interface LeanMounts extends Disposable {
  /** Makes it as the node's mounts are now, and tries programs in it. Never throws. */
  prepare(programs: readonly TriedProgram[]): Promise<void>;
  /** Its path; undefined where there is none, as before Linux 5.2. */
  readonly namespace: string | undefined;
}

/** A program that has to start there, and its environment. */
export interface TriedProgram {
  file: string;
  env: Readonly<Record<string, string>>;
}

/** For what lies below `directories`; programs of ours are written below the first one. */
export function createLeanMounts(
  directories: readonly [string, ...string[]],
  { programs, logger, failpoint }: { programs: string; logger: Logger; failpoint?: Failpoint },
): LeanMounts {
  let fd: number | undefined;
  const dispose = () => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  const pathOf = (made: number) => `/proc/${process.pid}/fd/${made}`;
  return {
    get namespace() {
      return fd === undefined ? undefined : pathOf(fd);
    },
    async prepare(tried) {
      dispose();
      let made: number | undefined;
      try {
        const own = directories.map(resolved);
        const files = tried.map(({ file }) => resolved(file));
        const needless = needlessMounts(readMounts(), [...own, ...files, ...NEEDED]);
        const held = () => failpoint?.("mounts-held");
        made = await makeNamespace({ needless, programs, probe: own[0] ?? "/", held });
        await tryOut(pathOf(made), { tried, programs });
        fd = made;
      } catch (error) {
        if (made !== undefined) closeSync(made);
        logger.debug("runtimes see all mounts of the node", { error });
      }
    },
    [Symbol.dispose]: dispose,
  };
}

/** Mounts on the way to none of the `needed` files, the uppermost of each tree. */
export function needlessMounts(
  mounts: readonly Pick<MountEntry, "target">[],
  needed: readonly string[],
): string[] {
  const isNeeded = (target: string) =>
    isWithin(target, CGROUPS) || needed.some((file) => isWithin(file, target));
  const needless = mounts.map(({ target }) => target).filter((target) => !isNeeded(target));
  const all = new Set(needless);
  const hasAbove = (target: string): boolean => {
    const above = path.posix.dirname(target);
    return above !== target && (all.has(above) || hasAbove(above));
  };
  return needless.filter((target) => !hasAbove(target));
}

/** Whether `file` is the directory, or lies below it. */
export function isWithin(file: string, directory: string): boolean {
  return file === directory || directory === "/" || file.startsWith(`${directory}/`);
}

/** As mounts are named; links lead elsewhere. */
function resolved(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** Returns a descriptor of it. @throws Error where the kernel cannot, or does not let us */
async function makeNamespace({
  needless,
  programs,
  probe,
  held: isHeld,
}: {
  needless: readonly string[];
  programs: string;
  probe: string;
  held: () => void;
}): Promise<number> {
  const program = mountsProgram(programMachine(), { needless, probe });
  const file = writeProgram(path.join(programs, "mounts"), program);
  const [held, ready] = [makePipe(), makePipe()];
  const answer = new Socket({ fd: ready.readFd, readable: true, writable: false });
  try {
    const pid = startHolding(file, { held: held.readFd, ready: ready.writeFd });
    try {
      const isReady = await new Promise<boolean>((resolve, reject) => {
        answer.once("data", () => resolve(true));
        answer.once("close", () => resolve(false));
        answer.once("error", reject);
      });
      if (!isReady) throw new Error("Cannot move mounts into a namespace: needs Linux 5.2");
      isHeld();
      return openSync(`/proc/${pid}/ns/mnt`, "r");
    } finally {
      closeSync(held.writeFd);
      await reap(pid);
    }
  } finally {
    answer.destroy();
  }
}

/** Closes the descriptors. */
function startHolding(file: string, { held, ready }: { held: number; ready: number }): number {
  try {
    const descriptors = [held, ready, "ignore"] as const;
    return spawnProgram({ file, args: [" "], directory: "/", env: {}, descriptors });
  } finally {
    closeSync(held);
    closeSync(ready);
  }
}

/** @throws Error when one does not start there */
async function tryOut(
  namespace: string,
  { tried, programs }: { tried: readonly TriedProgram[]; programs: string },
): Promise<void> {
  const placement = { groups: 0, gated: false, mounts: 0 };
  const program = placeProgram(programMachine(), placement);
  const file = writeProgram(path.join(programs, "place-0"), program);
  const descriptors = ["ignore", "ignore", "ignore"] as const;
  const codes = await Promise.all(
    tried.map(({ file: one, env }) => {
      const args = [namespace, one, "--version"];
      return reap(spawnProgram({ file, args, directory: "/", env, descriptors }));
    }),
  );
  if (codes.some((code) => code !== 0)) throw new Error(`Programs end with ${codes.join()}`);
}

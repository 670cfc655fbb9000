import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { downloadPackage, unpackPackage } from "../../scripts/debian-packages.ts";

const CACHE = process.env["NEPHOS_CACHE"] ?? path.join(tmpdir(), "nephos-cache");
const ROOT = path.join(CACHE, "kubectl-1.20");

/** Where Debian 12's kubectl 1.20 is, beside the one of this machine, which stays as it is. */
const OLD_KUBECTL_FOLDER: string = path.join(ROOT, "usr/bin");

/** The folder of the old kubectl, to stand first in PATH; `undefined` where apt has none. */
export function oldKubectlFolder(): string | undefined {
  return existsSync(path.join(OLD_KUBECTL_FOLDER, "kubectl")) ? OLD_KUBECTL_FOLDER : undefined;
}

/** Unpacks it into the cache; needs a network the first time, and says so when there is none. */
export async function fetchOldKubectl(): Promise<void> {
  if (oldKubectlFolder()) return;
  const part = `${ROOT}.part`;
  try {
    const found = await downloadPackage("kubernetes-client", path.join(CACHE, "packages"));
    if (!found.version.startsWith("1.20.")) {
      throw new Error(`the archives have kubernetes-client ${found.version}`);
    }
    rmSync(part, { recursive: true, force: true });
    mkdirSync(part, { recursive: true });
    await unpackPackage(found.file, part);
    renameSync(part, ROOT);
  } catch (error) {
    console.log(`no kubectl 1.20, its sessions are skipped: ${(error as Error).message}`);
  }
}

import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { downloadPackage, unpackPackage } from "../../scripts/debian-packages.ts";

const CACHE = process.env["NEPHOS_CACHE"] ?? path.join(tmpdir(), "nephos-cache");

/** A Debian package that tests use without installing it. */
export interface UnpackedPackage {
  name: string;
  /** Folder of the cache. */
  folder: string;
  /** What its version begins with. */
  version: string;
}

/** Where a file of the package is; `undefined` where apt has none. */
export function unpackedFile({ folder }: UnpackedPackage, file: string): string | undefined {
  const found = path.join(CACHE, folder, file);
  return existsSync(found) ? found : undefined;
}

/** Unpacks it into the cache; needs a network the first time, and says so when there is none. */
export async function fetchUnpacked(wanted: UnpackedPackage): Promise<void> {
  const root = path.join(CACHE, wanted.folder);
  if (existsSync(root)) return;
  const part = `${root}.part`;
  try {
    const found = await downloadPackage(wanted.name, path.join(CACHE, "packages"));
    if (!found.version.startsWith(wanted.version)) {
      throw new Error(`the archives have ${wanted.name} ${found.version}`);
    }
    rmSync(part, { recursive: true, force: true });
    mkdirSync(part, { recursive: true });
    await unpackPackage(found.file, part);
    renameSync(part, root);
  } catch (error) {
    console.log(`no ${wanted.folder}, its tests are skipped: ${(error as Error).message}`);
  }
}

import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { CommandError } from "./command-error.ts";
import type { DataDirectory } from "./data-directory.ts";
import { readInstance } from "./instance.ts";

/** All that Nephos, or whoever prepares a start, puts right into a data directory. */
export const OWN_NAMES: ReadonlySet<string> = new Set([
  "audit",
  "cri",
  "demo-images.json",
  "images",
  "instance.json",
  "instance.json.tmp",
  "kubeconfig",
  "manifests",
  "nephos.log",
  "nodes",
  "pki",
  "proxy.kubeconfig",
  "registries.yaml",
  "store",
]);
/** A new file system has it. */
const OF_FILE_SYSTEM = "lost+found";
const NAMED_MAX = 3;

/**
 * Refuses a directory that belongs to somebody else: what is a data directory is removed as a
 * whole one day. One that is absent, empty, or in which Nephos has run is fine.
 * @throws CommandError that begins with `action`, such as `Cannot purge "/etc"`
 */
export function requireOwnDirectory(
  directory: DataDirectory,
  { action, hint }: { action: string; hint: string },
): void {
  const { root } = directory;
  const names = existsSync(root) ? readdirSync(root) : [];
  const foreign = names.filter((name) => !OWN_NAMES.has(name) && name !== OF_FILE_SYSTEM);
  if (root !== "/" && (foreign.length === 0 || isMarked(directory))) return;
  const named = foreign.slice(0, NAMED_MAX).map((name) => JSON.stringify(name));
  const more = foreign.length > NAMED_MAX ? " and more" : "";
  const what = `it is no data directory of Nephos, but holds ${named.join(", ")}${more}`;
  throw new CommandError(`${action}: ${what}; ${hint}`);
}

/** Nephos has run here. */
function isMarked({ root, instance, cri }: DataDirectory): boolean {
  if (Array.isArray(readInstance(instance)?.processes)) return true;
  const nodes = path.join(root, "nodes");
  const states = existsSync(nodes) ? readdirSync(nodes).map((name) => path.join(nodes, name)) : [];
  return [cri.state, ...states].some((state) => existsSync(path.join(state, "runtime")));
}

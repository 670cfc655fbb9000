import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import path from "node:path";
import { identityOf } from "./pod-containers.ts";
import type { PodDirectories, PodParts } from "./pod-context.ts";
import type { PodState } from "./pod-state.ts";

/** Who a pod is. */
type Identity = ReturnType<typeof identityOf>;

/** Below a node's state: its pods' logs, or what tells where those are. */
export const OWN_LOGS = "logs";
const OF_POD = /^[^_]+_[^_]+_[^_]+$/;

/**
 * Where a pod's logs lie: where earlier ones of its own do, if an agent with another configuration
 * ran it.
 */
export function logDirectoryOf(
  { logs, logIndex }: Pick<PodDirectories, "logs" | "logIndex">,
  { namespace, name, uid }: Identity,
): string {
  const entry = `${namespace}_${name}_${uid}`;
  const known = path.join(logIndex, entry);
  const found = lstatSync(known, { throwIfNoEntry: false });
  if (found?.isDirectory()) return known;
  return found?.isSymbolicLink() ? readlinkSync(known) : path.join(logs, entry);
}

/** All pods of a node that have logs, known or not. */
export function podsWithLogs({ logIndex }: Pick<PodDirectories, "logIndex">): Identity[] {
  return entriesOf(logIndex)
    .filter((entry) => OF_POD.test(entry))
    .map((entry) => {
      const [namespace = "", name = "", uid = ""] = entry.split("_");
      return { namespace, name, uid };
    });
}

/**
 * Who ships logs may mount both before any pod has some there. Idempotent.
 * @throws Error that names the setting, where they cannot be made
 */
export function makeLogPlaces(logs: string): void {
  try {
    for (const place of [logs, linksBeside(path.join(logs, "pod"))]) {
      mkdirSync(place, { recursive: true, mode: 0o755 });
    }
  } catch (cause) {
    const why = `${(cause as Error).message}; choose another directory with podLogsDir`;
    throw new Error(`Cannot keep the logs of pods in "${logs}": ${why}`, { cause });
  }
}

/** Makes the directory of a pod's logs, and notes that it is this node's. Idempotent. */
export function makeLogs({ logDirectory }: PodState, { spread, directories }: PodParts): void {
  const { logIndex } = directories;
  const isElsewhere = path.dirname(logDirectory) !== logIndex;
  // The note first: whenever this process ends, nothing is forgotten.
  if (isElsewhere) link(logDirectory, path.join(logIndex, path.basename(logDirectory)));
  spread.make(logDirectory, 0o755);
}

/** Shows an attempt's log under the name by which log shippers tell containers apart. */
export function linkLog(
  { pod, logDirectory }: PodState,
  { container, id, logPath }: { container: string; id: string; logPath: string },
  { directories }: PodParts,
): void {
  const links = linksOf(directories, logDirectory);
  if (!links) return;
  mkdirSync(links, { recursive: true, mode: 0o755 });
  link(logPath, path.join(links, linkName(identityOf(pod), { container, id })));
}

/** The log of this attempt is gone. */
export function unlinkLog(
  { pod, logDirectory }: PodState,
  of: { container: string; id: string },
  { directories }: PodParts,
): void {
  const links = linksOf(directories, logDirectory);
  if (links) rmSync(path.join(links, linkName(identityOf(pod), of)), { force: true });
}

/** Removes the logs of a pod, once nobody can ask for them any more. Idempotent. */
export function removeLogs(
  identity: Identity,
  { directories, discard }: Pick<PodParts, "directories" | "discard">,
): void {
  const directory = logDirectoryOf(directories, identity);
  const links = linksOf(directories, directory);
  if (links) removeLinks(links, { of: identity, into: directory });
  discard(directory);
  const { logIndex } = directories;
  const note = path.join(logIndex, path.basename(directory));
  if (note !== directory) rmSync(note, { force: true });
}

/**
 * Removes the logs that nodes with this index keep elsewhere, and the links to them; what others
 * keep there stays. `place`, where they would be kept, goes when nobody keeps anything there.
 */
export function purgeLogs(logIndex: string, place?: string): void {
  for (const entry of entriesOf(logIndex)) {
    const note = path.join(logIndex, entry);
    if (!lstatSync(note).isSymbolicLink()) continue;
    const directory = readlinkSync(note);
    if (path.basename(directory) !== entry || !OF_POD.test(entry)) continue;
    const links = linksBeside(directory);
    removeLinks(links, { into: directory });
    rmSync(directory, { recursive: true, force: true });
  }
  if (place === undefined) return;
  for (const each of [place, linksBeside(path.join(place, "pod"))]) {
    if (existsSync(each) && entriesOf(each).length === 0) rmdirSync(each);
  }
}

/** Beside the directories of pods; none where those are for this node alone. */
function linksOf({ logIndex }: PodDirectories, logDirectory: string): string | undefined {
  if (path.dirname(logDirectory) === logIndex) return undefined;
  return linksBeside(logDirectory);
}

function linksBeside(logDirectory: string): string {
  return path.join(logDirectory, "../../containers");
}

function linkName(
  { name, namespace }: Identity,
  { container, id }: { container: string; id: string },
): string {
  return `${name}_${namespace}_${container}-${id}.log`;
}

function removeLinks(links: string, { of, into }: { of?: Identity; into: string }): void {
  const begin = of ? `${of.name}_${of.namespace}_` : "";
  for (const name of entriesOf(links)) {
    if (!name.startsWith(begin)) continue;
    const file = path.join(links, name);
    const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink();
    if (isLink && readlinkSync(file).startsWith(`${into}/`)) rmSync(file, { force: true });
  }
}

function link(target: string, file: string): void {
  try {
    symlinkSync(target, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

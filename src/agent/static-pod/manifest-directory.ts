import { type FSWatcher, mkdirSync, readdirSync, readFileSync, watch } from "node:fs";
import path from "node:path";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { StaticPods } from "./contract.ts";
import { staticPodOf } from "./static-pod.ts";

/** For file systems that tell of no changes. */
const REREAD_MS = 20_000;
/** Editors write a file in several steps. */
const CALM_MS = 100;

/** Where manifests lie and for whom. */
export interface ManifestDirectoryOptions {
  directory: string;
  nodeName: string;
  clock: Clock;
  logger: Logger;
}

/**
 * Reads every file of a directory as a static pod, again at each change. A file that is broken
 * while it is being edited leaves the pod as it was.
 */
export function followManifests(options: ManifestDirectoryOptions): StaticPods {
  const { directory, nodeName, clock, logger } = options;
  const handlers = new Set<() => void>();
  let files = new Map<string, { text: string; pod?: Pod }>();
  let timer: Timer;

  const read = (): boolean => {
    const next: typeof files = new Map();
    let changed = false;
    for (const file of manifestNames(directory)) {
      const before = files.get(file);
      const text = readText(path.join(directory, file)) ?? before?.text ?? "";
      if (before?.text === text) {
        next.set(file, before);
        continue;
      }
      try {
        const pod = staticPodOf(text, { file, nodeName, nowMs: clock.now() });
        next.set(file, { text, pod });
        changed = true;
      } catch (error) {
        logger.warn("a manifest is no pod", { file, error });
        next.set(file, { text, ...(before?.pod ? { pod: before.pod } : {}) });
      }
    }
    changed ||= [...files].some(([file, { pod }]) => pod && !next.has(file));
    files = next;
    return changed;
  };

  const look = () => {
    timer.cancel();
    if (read()) for (const handler of handlers) handler();
    wait(REREAD_MS);
  };
  const wait = (delayMs: number) => {
    timer = clock.setTimer(delayMs, look);
  };

  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const watcher: FSWatcher = watch(directory, { persistent: false }, () => {
    timer.cancel();
    wait(CALM_MS);
  });
  watcher.on("error", (error) => logger.warn("cannot watch for manifests", { error }));
  read();
  wait(REREAD_MS);
  return {
    list: () => [...files.values()].flatMap(({ pod }) => (pod ? [pod] : [])),
    onChange(handler) {
      handlers.add(handler);
      return { [Symbol.dispose]: () => void handlers.delete(handler) };
    },
    [Symbol.dispose]() {
      timer.cancel();
      watcher.close();
    },
  };
}

function manifestNames(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith(".") && !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

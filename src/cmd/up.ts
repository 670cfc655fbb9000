import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { GrpcError } from "../format/grpc/grpc-status.ts";
import { CommandError } from "./command-error.ts";
import { type DataDirectory, openDataDirectory } from "./data-directory.ts";
import { requireHost } from "./doctor.ts";
import { requireOwnDirectory } from "./foreign-directory.ts";
import { isAlive, readInstance } from "./instance.ts";
import { judgeSettings } from "./judge-settings.ts";
import { parseUpOptions, type UpOptions } from "./options.ts";
import { requireRoot } from "./require-root.ts";
import type { ServeMessage } from "./serve-message.ts";
import { untilSignal } from "./signals.ts";

/**
 * Small heaps are collected often and cheaply; the API server's objects are bytes outside them.
 * Garbage may grow to two fifths of the live data: less costs time, more costs memory. What is
 * young is collected in one thread: to wake others for a few megabytes, and to wait for them where
 * they get no processor, costs more than they do. Its room stays as it is: a thorough collection
 * would shrink it, and what makes little garbage at a time would not let it grow again.
 */
export const NODE_FLAGS: readonly string[] = [
  "--min-semi-space-size=8",
  "--max-semi-space-size=8",
  "--no-parallel-scavenge",
  "--heap-growing-percent=40",
  "--initial-heap-size=64",
  "--no-warnings",
];

/**
 * Of glibc: one heap for the main thread, one for all others, of which each would keep some
 * megabytes of its own. An environment that says otherwise is left alone.
 */
export const HEAP_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: "2" };

/** `nephos up`: starts the daemon; returns when the node is Ready, or stays in the foreground. */
export async function up(args: readonly string[]): Promise<number> {
  const options = parseUpOptions(args);
  requireRoot("start Nephos");
  requireHost();
  // Not created yet: what cannot start leaves nothing behind.
  const known = openDataDirectory(options.dataDirectory, { create: false });
  const running = readInstance(known.instance)?.processes.find(
    (process) => process.role === "nephos" && isAlive(process),
  );
  if (running) {
    process.stdout.write(`Nephos already runs (process ${running.pid}) in ${known.root}.\n`);
    return 0;
  }
  requireOwnDirectory(known, {
    action: `Cannot keep data in "${known.root}"`,
    hint: "choose an empty directory with --data-dir",
  });
  judgeSettings(options);
  await requireContainerRuntime(options);
  await requireFreePort(options);
  const directory = openDirectory(options);
  return options.detach ? await startDetached(args, directory) : await runInForeground(args);
}

function openDirectory(options: UpOptions): DataDirectory {
  try {
    return openDataDirectory(options.dataDirectory, { create: true });
  } catch (cause) {
    const { message } = cause as Error;
    throw new CommandError(`Cannot create the data directory: ${message}`, { cause });
  }
}

const NO_ANSWER_HINT = "start the container runtime, with its CRI plugin, or name its socket";

/** What a data directory was started with is kept: it had better be there. @throws CommandError */
async function requireContainerRuntime({ runtimeEndpoint }: UpOptions): Promise<void> {
  if (runtimeEndpoint === undefined) return;
  const { connectCri } = await import("../agent/cri-client.ts");
  const { readFacts, socketOf } = await import("../agent/runtime/cri/cri-endpoint.ts");
  await using client = connectCri(socketOf(runtimeEndpoint));
  try {
    await readFacts(client);
  } catch (cause) {
    const { message } = cause as Error;
    const where = `--container-runtime-endpoint "${runtimeEndpoint}"`;
    const hint = cause instanceof GrpcError ? `; ${NO_ANSWER_HINT}` : "";
    throw new CommandError(`Cannot use ${where}: ${message}${hint}`, { cause });
  }
}

async function requireFreePort({ host, port }: UpOptions): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, "listening");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === "EADDRINUSE" ? "another program uses it" : `${code}`;
    throw new CommandError(
      `Cannot listen on ${host}:${port} as ${why}; choose another with --listen ADDRESS:PORT`,
      { cause },
    );
  } finally {
    probe.close();
  }
}

function spawnServe(args: readonly string[], log: number | "inherit"): ChildProcess {
  const entry = path.join(import.meta.dirname, "nephos.js");
  return spawn(process.execPath, [...NODE_FLAGS, entry, "serve", ...args], {
    stdio: ["ignore", log, log, "ipc"],
    env: { ...HEAP_ENVIRONMENT, ...process.env },
    detached: log !== "inherit",
  });
}

/** Resolves when the daemon is ready. @throws CommandError with its own words when it is not */
function untilReady(child: ChildProcess, describeExit: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on("message", (message: ServeMessage) => {
      if (message.type === "progress") process.stdout.write(`${message.text}\n`);
      if (message.type === "ready") resolve();
      if (message.type === "failed") reject(new CommandError(message.text));
    });
    child.once("exit", (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      reject(new CommandError(`Nephos ended before it was ready (${how}). ${describeExit()}`));
    });
    child.once("error", (cause) => reject(new CommandError("Cannot start Nephos", { cause })));
  });
}

async function startDetached(args: readonly string[], directory: DataDirectory): Promise<number> {
  const log = openSync(directory.log, "a", 0o600);
  const from = readFileSync(directory.log).length;
  const child = spawnServe(args, log);
  closeSync(log);
  const exited = once(child, "exit").catch(() => {}); // it was never started, which is told below
  try {
    await untilReady(child, () => {
      const written = readFileSync(directory.log).subarray(from).toString();
      const last = written.trim().split("\n").slice(-3).join("\n");
      return `The end of ${directory.log}:\n${last}`;
    });
  } catch (error) {
    // A daemon that cannot start ends; whoever tries again must not meet it.
    if (child.pid !== undefined) await exited;
    throw error;
  }
  child.disconnect();
  child.unref();
  return 0;
}

async function runInForeground(args: readonly string[]): Promise<number> {
  const child = spawnServe(args, "inherit");
  const exited = once(child, "exit");
  await untilReady(child, () => "See its messages above.");
  const ended = Promise.race([exited, untilSignal().then((signal) => child.kill(signal))]);
  await ended;
  const [code] = (await exited) as [number | null];
  return code ?? 1;
}

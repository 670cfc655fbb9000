import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { sleep } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { configFile, namesIn, writeJson } from "./container-record.ts";
import { RuntimeError } from "./contract.ts";
import { driverOf, type RuntimeContext } from "./runtime-context.ts";
import { endStrays, execWords, findStrays, type WordPair } from "./stray-monitors.ts";

const BEGIN_PASS_MS = 10;
const BEGIN_PASSES = 1_000;

/** ID of the container, for an agent that comes after this one. */
const CONTAINER = "container";

/** One exec: a directory that is removed at its end. */
export interface ExecDirectory extends Disposable {
  path: string;
  specPath: string;
  pidFile: string;
  /** With this code the OCI runtime ends when it could not start the command. */
  failureCode: number;
  killInside(): Promise<void>;
}

/** Makes it for a command of a running container. @throws RuntimeError */
export function prepareExec(
  context: RuntimeContext,
  id: string,
  options: { command: readonly string[]; tty: boolean; random: Random },
): ExecDirectory {
  const record = context.table.container(id);
  if (record.status.state !== "running") {
    const message = `Cannot run a command in container "${record.status.name}": it is not running`;
    throw new RuntimeError("not-running", message);
  }
  if (options.command.length === 0) {
    throw new RuntimeError("command-not-found", "no command was given");
  }
  const driver = driverOf(context, record.status.sandboxId);
  const configPath = configFile(context.paths.bundle(id));
  const config = JSON.parse(readFileSync(configPath, "utf8")) as {
    process: { env: string[] } & Record<string, unknown>;
    linux?: { seccomp?: object };
  };
  const refusal = driver.execRefusal(config);
  if (refusal !== undefined) {
    const message = `Cannot run a command in container "${record.status.name}": ${refusal}`;
    throw new RuntimeError("permission-denied", message);
  }
  const name = Buffer.from(options.random.bytes(8)).toString("hex");
  const directory = path.join(context.paths.execs, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(directory, CONTAINER), id);
  const specPath = specFile(directory);
  const { process } = config;
  const terminal = options.tty && !process.env.some((entry) => entry.startsWith("TERM="));
  const env = terminal ? ["TERM=xterm", ...process.env] : process.env;
  writeJson(specPath, { ...process, args: options.command, terminal: options.tty, env });
  return {
    path: directory,
    specPath,
    pidFile: path.join(directory, "pidfile"),
    failureCode: driver.execFailureCode,
    killInside: () => driver.killExec({ id, directory }),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function specFile(directory: string): string {
  return path.join(directory, "process.json");
}

/** Ends the commands of an agent that died: who had asked for them is not connected any more. */
export async function endExecs(context: RuntimeContext): Promise<void> {
  const { execs } = context.paths;
  await Promise.all(namesIn(execs).map((name) => endExec(context, path.join(execs, name))));
}

async function endExec(context: RuntimeContext, directory: string): Promise<void> {
  const words = execWords(specFile(directory));
  try {
    await killInside(context, { directory, words });
  } catch (error) {
    context.logger.warn("cannot end a command of an earlier agent", { directory, error });
  }
  await endStrays(words, context.clock);
  rmSync(directory, { recursive: true, force: true });
}

/** On a kernel of its own, a command does not end with the process that waits for it. */
async function killInside(
  context: RuntimeContext,
  { directory, words }: { directory: string; words: readonly WordPair[] },
): Promise<void> {
  const id = readFileSync(path.join(directory, CONTAINER), "utf8");
  const status = context.table.containers.get(id)?.status;
  if (status?.state !== "running") return;
  const driver = driverOf(context, status.sandboxId);
  // What is being started now would run on if nobody waited for it.
  for (let pass = 0; pass < BEGIN_PASSES && !driver.canKillExec({ directory }); pass++) {
    if (findStrays(words).length === 0) return;
    await sleep(context.clock, BEGIN_PASS_MS);
  }
  await driver.killExec({ id, directory });
}

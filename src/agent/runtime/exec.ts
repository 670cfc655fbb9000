import { mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import type { Random } from "../../lib/random.ts";
import { type PipedChild, spawnPiped } from "../../sys/child.ts";
import { openProcess, signalNumber } from "../../sys/process.ts";
import { startMonitor } from "./conmon.ts";
import { writeJson } from "./container-record.ts";
import { runtimeError } from "./container-start.ts";
import { type ExecOptions, type ExecResult, RuntimeError, type StreamSession } from "./contract.ts";
import { openAttachSession } from "./attach.ts";
import { placedTools, type RuntimeContext } from "./runtime-context.ts";

const OUTPUT_MAX_BYTES = 16 * 1024;
const TIMED_OUT_EXIT_CODE = 137;

/** One exec: a directory that is removed at its end. */
interface ExecDirectory extends Disposable {
  path: string;
  specPath: string;
  pidFile: string;
}

function prepareExec(
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
  const name = Buffer.from(options.random.bytes(8)).toString("hex");
  const directory = path.join(context.paths.execs, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const specPath = path.join(directory, "process.json");
  const configPath = path.join(context.paths.bundle(id), "config.json");
  const config = JSON.parse(readFileSync(configPath, "utf8")) as {
    process: { env: string[] } & Record<string, unknown>;
  };
  const { process } = config;
  const terminal = options.tty && !process.env.some((entry) => entry.startsWith("TERM="));
  const env = terminal ? ["TERM=xterm", ...process.env] : process.env;
  writeJson(specPath, { ...process, args: options.command, terminal: options.tty, env });
  return {
    path: directory,
    specPath,
    pidFile: path.join(directory, "pidfile"),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function spawnExec(
  context: RuntimeContext,
  id: string,
  { exec, streams }: { exec: ExecDirectory; streams: Omit<ExecOptions, "command" | "tty"> },
): PipedChild {
  const { runtime, runtimeArguments } = placedTools(context, context.table.container(id).cgroup);
  const files = ["--process", exec.specPath, "--pid-file", exec.pidFile];
  const command = [runtime, ...runtimeArguments, "exec", ...files, id];
  return spawnPiped(command, { ...streams, signalNumber });
}

/** Runs a command to its end, or kills it when the time is over. */
export async function execSync(
  context: RuntimeContext,
  id: string,
  options: { command: readonly string[]; timeoutMs: number; random: Random },
): Promise<ExecResult> {
  using exec = prepareExec(context, id, { ...options, tty: false });
  const streams = { stdin: false, stdout: true, stderr: true };
  const child = spawnExec(context, id, { exec, streams });
  let timedOut = false;
  const timer = context.clock.setTimer(options.timeoutMs, () => {
    timedOut = true;
    killExec(child, exec.pidFile);
  });
  try {
    const outputs = Promise.all([collect(child.stdout), collect(child.stderr)]);
    const exitCode = await child.exit;
    // A process that the command left behind may hold the pipes open; it is not waited for.
    const graceful = context.clock.setTimer(OUTPUT_GRACE_MS, () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    });
    const [stdout, stderr] = await outputs;
    graceful.cancel();
    return { exitCode: timedOut ? TIMED_OUT_EXIT_CODE : exitCode, stdout, stderr, timedOut };
  } catch (error) {
    throw runtimeError(error, options.command[0] ?? "");
  } finally {
    timer.cancel();
  }
}

const OUTPUT_GRACE_MS = 200;

function killExec(child: PipedChild, pidFile: string): void {
  const pid = readPid(pidFile);
  if (pid !== undefined) {
    using process = openProcess(pid);
    process?.signal("SIGKILL");
  }
  child.process.kill("SIGKILL");
}

function readPid(pidFile: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function collect(stream: Readable | undefined): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  if (!stream) return "";
  await new Promise<void>((resolve) => {
    stream.on("data", (chunk: Buffer) => {
      if (size < OUTPUT_MAX_BYTES) parts.push(chunk.subarray(0, OUTPUT_MAX_BYTES - size));
      size += chunk.length;
    });
    stream.once("close", resolve);
    stream.once("error", () => resolve());
  });
  return Buffer.concat(parts).toString("utf8");
}

/** Starts a command with live streams. */
export async function execSession(
  context: RuntimeContext,
  id: string,
  options: ExecOptions & { random: Random },
): Promise<StreamSession> {
  const exec = prepareExec(context, id, options);
  try {
    return options.tty
      ? await terminalSession(context, id, { exec, stdin: options.stdin })
      : pipedSession(spawnExec(context, id, { exec, streams: options }), exec);
  } catch (error) {
    exec[Symbol.dispose]();
    throw runtimeError(error, options.command[0] ?? "");
  }
}

function pipedSession(child: PipedChild, exec: ExecDirectory): StreamSession {
  const { stdin, stdout, stderr } = child;
  stdin?.on("error", () => {}); // EPIPE: the command closed its input
  const closed = [stdout, stderr].map(
    (stream) =>
      new Promise<void>((resolve) => (stream ? stream.once("close", resolve) : resolve())),
  );
  const exit = child.exit.then(async (exitCode) => {
    stdin?.destroy();
    await Promise.all(closed);
    exec[Symbol.dispose]();
    return { exitCode };
  });
  exit.catch(() => exec[Symbol.dispose]());
  return {
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    resize: () => {},
    exit,
    async [Symbol.asyncDispose]() {
      if (child.process.exitCode === null && child.process.signalCode === null) {
        killExec(child, exec.pidFile);
      }
      for (const stream of [stdin, stdout, stderr]) stream?.destroy();
      await exit.catch(() => undefined);
    },
  };
}

/** With a terminal, conmon opens and keeps it: Node.js cannot make a pseudo-terminal. */
async function terminalSession(
  context: RuntimeContext,
  id: string,
  { exec, stdin }: { exec: ExecDirectory; stdin: boolean },
): Promise<StreamSession> {
  let session: StreamSession | undefined;
  const exitDirectory = path.join(exec.path, "exit");
  mkdirSync(exitDirectory);
  try {
    const pid = await startMonitor(placedTools(context, context.table.container(id).cgroup), {
      id,
      bundle: exec.path,
      pidFile: exec.pidFile,
      exitDirectory,
      tty: true,
      stdin,
      leaveStdinOpen: false,
      execSpecPath: exec.specPath,
      attach: () => {
        session = openAttachSession(exec.path, {
          tty: true,
          streams: { stdin, stdout: true, stderr: false },
          exitCode: () => readExitCode(context, path.join(exitDirectory, id)),
          atEnd: () => exec[Symbol.dispose](),
        });
        return Promise.resolve();
      },
    });
    if (!session) throw new RuntimeError("runtime-failed", "conmon opened no attach socket");
    const opened = session;
    return {
      ...opened,
      async [Symbol.asyncDispose]() {
        using process = openProcess(pid);
        process?.signal("SIGKILL");
        await opened[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await session?.[Symbol.asyncDispose]();
    throw error;
  }
}

const EXIT_FILE_RETRY_MS = 5;
const EXIT_FILE_RETRIES = 200;

/** The monitor closes its socket shortly before, or after, it writes the file. */
async function readExitCode(context: RuntimeContext, file: string): Promise<number> {
  for (let attempt = 0; attempt < EXIT_FILE_RETRIES; attempt++) {
    try {
      const code = Number.parseInt(readFileSync(file, "utf8"), 10);
      if (Number.isInteger(code)) return code;
    } catch {
      // not yet
    }
    await new Promise<void>((resolve) => void context.clock.setTimer(EXIT_FILE_RETRY_MS, resolve));
  }
  return TIMED_OUT_EXIT_CODE;
}

import { readFileSync } from "node:fs";
import { type Readable, Transform } from "node:stream";
import type { Random } from "../../lib/random.ts";
import { type PipedChild, spawnPiped } from "../../sys/child.ts";
import { openProcess } from "../../sys/process.ts";
import { runtimeError, startExitCode } from "./container-start.ts";
import type { ExecOptions, ExecResult, StreamSession } from "./contract.ts";
import { type ExecDirectory, prepareExec } from "./exec-directory.ts";
import { placed } from "./placement.ts";
import { driverOf, type RuntimeContext } from "./runtime-context.ts";
import { terminalSession } from "./terminal-exec.ts";

const OUTPUT_MAX_BYTES = 16 * 1024;
const TIMED_OUT_EXIT_CODE = 137;
const LAST_WORDS_MAX_BYTES = 1024;

function spawnExec(
  context: RuntimeContext,
  id: string,
  { exec, streams }: { exec: ExecDirectory; streams: Omit<ExecOptions, "command" | "tty"> },
): PipedChild {
  const record = context.table.container(id);
  const driver = driverOf(context, record.status.sandboxId);
  const own = driver.execFiles({ directory: exec.path });
  const files = ["--process", exec.specPath, "--pid-file", exec.pidFile, ...own];
  const command = [...driver.command, "exec", ...files, id];
  // What the OCI runtime itself has to say comes on stderr, whether or not the client wants it.
  const child = spawnPiped(placed(context, { driver, cgroup: record.cgroup, command }), {
    ...streams,
    stderr: true,
  });
  context.failpoint("exec-begun");
  return child;
}

/** The exit code of an exec; its process had a PID file, unless it never ran. */
function exitCodeOf(exec: ExecDirectory, end: { exitCode: number; lastWords: string }): number {
  if (end.exitCode !== exec.failureCode || readPid(exec.pidFile) !== undefined) {
    return end.exitCode;
  }
  return startExitCode(end.lastWords);
}

/** Runs a command to its end, or kills it when the time is over. */
export async function execSync(
  context: RuntimeContext,
  id: string,
  options: { command: readonly string[]; timeoutMs: number; random: Random },
): Promise<ExecResult> {
  using exec = prepareExec(context, id, { ...options, tty: false });
  const streams = { stdin: false, stdout: true, stderr: true };
  let child: PipedChild;
  try {
    child = spawnExec(context, id, { exec, streams });
  } catch (error) {
    throw runtimeError(error, options.command[0] ?? "");
  }
  let timedOut = false;
  const timer = context.clock.setTimer(options.timeoutMs, () => {
    timedOut = true;
    killExec(child, exec);
  });
  try {
    const outputs = Promise.all([collect(child.stdout), collect(child.stderr)]);
    const ended = await child.exit;
    // A process that the command left behind may hold the pipes open; it is not waited for.
    const graceful = context.clock.setTimer(OUTPUT_GRACE_MS, () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    });
    const [stdout, stderr] = await outputs;
    graceful.cancel();
    const exitCode = exitCodeOf(exec, { exitCode: ended, lastWords: stderr });
    return { exitCode: timedOut ? TIMED_OUT_EXIT_CODE : exitCode, stdout, stderr, timedOut };
  } finally {
    timer.cancel();
  }
}

const OUTPUT_GRACE_MS = 200;

/** Inside first: what gVisor runs does not end with the process that waits for it. */
function killExec(child: PipedChild, exec: ExecDirectory): void {
  void exec.killInside().finally(() => killOutside(child, exec.pidFile));
}

function killOutside(child: PipedChild, pidFile: string): void {
  const pid = readPid(pidFile);
  if (pid !== undefined) {
    using process = openProcess(pid);
    process?.signal("SIGKILL");
  }
  child.kill();
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
    if (options.tty) return await terminalSession(context, id, { exec, stdin: options.stdin });
    const child = spawnExec(context, id, { exec, streams: options });
    return pipedSession(child, { exec, wantsErrors: options.stderr });
  } catch (error) {
    exec[Symbol.dispose]();
    throw runtimeError(error, options.command[0] ?? "");
  }
}

function pipedSession(
  child: PipedChild,
  { exec, wantsErrors }: { exec: ExecDirectory; wantsErrors: boolean },
): StreamSession {
  const { stdin, stdout } = child;
  stdin?.on("error", () => {}); // EPIPE: the command closed its input
  const errors = rememberingEnd(child.stderr);
  if (!wantsErrors) errors.stream.resume();
  const closed = [stdout, child.stderr].map(
    (stream) =>
      new Promise<void>((resolve) => (stream ? stream.once("close", resolve) : resolve())),
  );
  let ended = false;
  const exit = child.exit.then(async (exitCode) => {
    ended = true;
    stdin?.destroy();
    await Promise.all(closed);
    const code = exitCodeOf(exec, { exitCode, lastWords: errors.lastWords() });
    exec[Symbol.dispose]();
    return { exitCode: code };
  });
  return {
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(wantsErrors && { stderr: errors.stream }),
    resize: () => {},
    exit,
    async [Symbol.asyncDispose]() {
      if (!ended) killExec(child, exec);
      for (const stream of [stdin, stdout, child.stderr]) stream?.destroy();
      await exit;
    },
  };
}

/** Passes a stream on and keeps its last bytes. */
function rememberingEnd(source: Readable | undefined): {
  stream: Readable;
  lastWords: () => string;
} {
  let kept = Buffer.alloc(0);
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const rest = kept.subarray(-Math.max(0, LAST_WORDS_MAX_BYTES - chunk.length));
      kept = Buffer.concat([rest, chunk.subarray(-LAST_WORDS_MAX_BYTES)]);
      done(null, chunk);
    },
  });
  source?.once("close", () => stream.end());
  source?.pipe(stream);
  return { stream, lastWords: () => kept.toString("utf8") };
}

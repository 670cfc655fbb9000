import { closeSync, openSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import type { Readable } from "node:stream";
import { makePipe } from "../../sys/file.ts";
import { reap, spawnProgram } from "../../sys/posix-spawn.ts";

/** How to reach the monitor and the OCI runtime. */
export interface MonitorTools {
  conmon: string;
  /** "crun" or "runc", or a path. */
  runtime: string;
  /** Global arguments of the runtime, such as its state directory. */
  runtimeArguments: readonly string[];
}

/** What one monitor is to watch. */
export interface MonitorRequest {
  id: string;
  /** Directory with config.json; the monitor puts its attach socket and FIFOs there. */
  bundle: string;
  pidFile: string;
  /** Gets the PID of the monitor itself. */
  monitorPidFile?: string;
  /** The exit code appears there as a file named like the container. */
  exitDirectory: string;
  /** File in CRI format; undefined keeps no log. */
  logPath?: string;
  tty: boolean;
  stdin: boolean;
  /** Keeps the process's stdin open when a client that was attached leaves. */
  leaveStdinOpen: boolean;
  /** Starts another process in the container: its process specification. */
  execSpecPath?: string;
  /** Called when the attach socket of an exec listens and its process does not run yet. */
  attach?: () => Promise<void>;
}

/** The runtime refused; `message` is its own. */
export class MonitorError extends Error {
  override readonly name = "MonitorError";
}

/** A monitor that has begun to work. */
export interface BegunMonitor {
  /** Resolves with the PID of its process; to be called once. @throws MonitorError */
  answer(): Promise<number>;
}

/**
 * Starts conmon, which starts the container or the exec. Resolves with the PID of its process. The
 * monitor leaves this process's tree, so it outlives the agent. Source: conmon(8).
 */
export function startMonitor(tools: MonitorTools, request: MonitorRequest): Promise<number> {
  return beginMonitor(tools, request).answer();
}

/** The same in two steps. @throws MonitorError when there is no such program */
export function beginMonitor(tools: MonitorTools, request: MonitorRequest): BegunMonitor {
  const stderrFile = path.join(request.bundle, "conmon.log");
  const spawned = spawnMonitor(tools, { request, stderrFile });
  return { answer: () => answerOf(spawned, { tools, request, stderrFile }) };
}

async function answerOf(
  { pid, sync, start, attach }: SpawnedMonitor,
  {
    tools,
    request,
    stderrFile,
  }: { tools: MonitorTools; request: MonitorRequest; stderrFile: string },
): Promise<number> {
  try {
    if (start && attach) {
      start.on("error", () => {}); // the monitor may end first; its answer says why
      start.write("\0");
      const ready = await readAnswer(attach);
      if (ready.data < 0) throw new MonitorError(ready.message ?? "attach socket failed");
      await request.attach?.();
      start.write("\0");
    }
    const { data, message } = await readAnswer(sync);
    if (data > 0) return data;
    throw new MonitorError(message ?? `${tools.conmon} gave no reason; see ${stderrFile}`);
  } finally {
    for (const stream of [sync, start, attach]) stream?.destroy();
    // The monitor itself went on in a child of its own.
    await reap(pid);
  }
}

/** Our ends of the pipes to a monitor; the last two only for an exec. */
interface SpawnedMonitor {
  pid: number;
  sync: Socket;
  start?: Socket;
  attach?: Socket;
}

function spawnMonitor(
  tools: MonitorTools,
  { request, stderrFile }: { request: MonitorRequest; stderrFile: string },
): SpawnedMonitor {
  const isExec = request.execSpecPath !== undefined;
  const env: Record<string, string> = { PATH: process.env["PATH"] ?? "", _OCI_SYNCPIPE: "3" };
  if (isExec) Object.assign(env, { _OCI_STARTPIPE: "4", _OCI_ATTACHPIPE: "5" });
  const stderr = openSync(stderrFile, "a", 0o600);
  const ours: Socket[] = [];
  const theirs: number[] = [];
  for (const readable of isExec ? [true, false, true] : [true]) {
    const { readFd, writeFd } = makePipe();
    theirs.push(readable ? writeFd : readFd);
    ours.push(new Socket({ fd: readable ? readFd : writeFd, readable, writable: !readable }));
  }
  try {
    const pid = spawnProgram({
      file: tools.conmon,
      args: monitorArguments(tools, request),
      directory: request.bundle,
      env,
      descriptors: ["ignore", "ignore", stderr, ...theirs],
    });
    const [sync, start, attach] = ours as [Socket, Socket?, Socket?];
    return { pid, sync, ...(start && { start }), ...(attach && { attach }) };
  } catch (cause) {
    for (const socket of ours) socket.destroy();
    throw new MonitorError(`Cannot start ${tools.conmon}: ${(cause as Error).message}`, { cause });
  } finally {
    for (const fd of [stderr, ...theirs]) closeSync(fd);
  }
}

function monitorArguments(tools: MonitorTools, request: MonitorRequest): string[] {
  const { id, bundle, execSpecPath } = request;
  return [
    ["--api-version", "1", "--full-attach", "--no-sync-log", "--log-level", "error"],
    ["--cid", id, "--cuuid", id, "--name", id, "--bundle", bundle, "--socket-dir-path", bundle],
    ["--runtime", tools.runtime],
    tools.runtimeArguments.flatMap((argument) => ["--runtime-arg", argument]),
    request.monitorPidFile ? ["--conmon-pidfile", request.monitorPidFile] : [],
    ["--container-pidfile", request.pidFile, "--exit-dir", request.exitDirectory],
    ["--log-path", request.logPath ? `k8s-file:${request.logPath}` : "none"],
    execSpecPath ? ["--exec", "--exec-attach", "--exec-process-spec", execSpecPath] : [],
    request.tty ? ["--terminal"] : [],
    request.stdin ? ["--stdin"] : [],
    request.stdin && request.leaveStdinOpen ? ["--leave-stdin-open"] : [],
  ].flat();
}

/** Reads `{"data": N, "message": "..."}` and a newline. */
async function readAnswer(stream: Readable): Promise<{ data: number; message?: string }> {
  let text = "";
  stream.setEncoding("utf8");
  for await (const chunk of stream) {
    text += String(chunk);
    if (!text.includes("\n")) continue;
    const answer = JSON.parse(text.slice(0, text.indexOf("\n"))) as { data: number };
    return answer;
  }
  return { data: -1 };
}

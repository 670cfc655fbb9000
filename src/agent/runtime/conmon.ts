import { closeSync, openSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { makePipe } from "../../sys/file.ts";
import { reap, spawnProgram } from "../../sys/posix-spawn.ts";

/** How to reach the monitor and the OCI runtime. */
export interface MonitorTools {
  conmon: string;
  /** "crun" or "runc", or a path. */
  runtime: string;
  /** Global arguments of the runtime, such as its state directory. */
  runtimeArguments: readonly string[];
  /** For the monitor and the runtime, beside what they are always given. */
  environment?: Readonly<Record<string, string>>;
  /** What the runtime has as descriptors from 4 on, not for an exec; they stay the caller's. */
  descriptors?: readonly (number | "ignore")[];
}

/** What one monitor is to watch. */
export interface MonitorRequest {
  id: string;
  /** Directory with config.json; the monitor puts its attach socket and FIFOs there. */
  bundle: string;
  pidFile: string;
  /** Gets the PID of the monitor itself; not for an exec. */
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
  /** That of a container stays a child of this process, to be reaped after it has answered. */
  readonly pid: number;
  /** Resolves with the PID of its process; to be called once. @throws MonitorError */
  answer(): Promise<number>;
}

/**
 * Starts conmon, which starts the container or the exec. Resolves with the PID of its process. The
 * monitor has a session of its own, so it outlives the agent. Source: conmon(8).
 */
export function startMonitor(tools: MonitorTools, request: MonitorRequest): Promise<number> {
  return beginMonitor(tools, request).answer();
}

/** The same in two steps. @throws MonitorError when there is no such program */
export function beginMonitor(tools: MonitorTools, request: MonitorRequest): BegunMonitor {
  const stderrFile = path.join(request.bundle, "conmon.log");
  const spawned = spawnMonitor(tools, { request, stderrFile });
  const { pid } = spawned;
  return { pid, answer: () => answerOf(spawned, { tools, request, stderrFile }) };
}

async function answerOf(
  { pid, sync, start, attach }: SpawnedMonitor,
  {
    tools,
    request,
    stderrFile,
  }: { tools: MonitorTools; request: MonitorRequest; stderrFile: string },
): Promise<number> {
  // The monitor of an exec goes on in a child of its own, which is not ours.
  let goesOn = false;
  try {
    if (start && attach) {
      start.on("error", () => {}); // the monitor may end first; its answer says why
      start.write("\0");
      const ready = await attach.answer;
      if (ready.data < 0) throw new MonitorError(ready.message ?? "attach socket failed");
      await request.attach?.();
      start.write("\0");
    }
    const { data, message } = await sync.answer;
    goesOn = data > 0 && !isExec(request);
    if (data > 0) return data;
    throw new MonitorError(message ?? `${tools.conmon} gave no reason; see ${stderrFile}`);
  } finally {
    for (const stream of [sync.socket, start, attach?.socket]) stream?.destroy();
    if (!goesOn) await reap(pid);
  }
}

/** Our ends of the pipes to a monitor; the last two only for an exec. */
interface SpawnedMonitor {
  pid: number;
  sync: AnswerPipe;
  start?: Socket;
  attach?: AnswerPipe;
}

function spawnMonitor(
  tools: MonitorTools,
  { request, stderrFile }: { request: MonitorRequest; stderrFile: string },
): SpawnedMonitor {
  const env: Record<string, string> = {
    ...tools.environment,
    PATH: process.env["PATH"] ?? "",
    _OCI_SYNCPIPE: "3",
  };
  if (isExec(request)) Object.assign(env, { _OCI_STARTPIPE: "4", _OCI_ATTACHPIPE: "5" });
  const theirs = [openSync(stderrFile, "a", 0o600)];
  const answerPipe = () => {
    const { readFd, writeFd } = makePipe();
    theirs.push(writeFd);
    return openAnswerPipe(readFd);
  };
  const startPipe = () => {
    const { readFd, writeFd } = makePipe();
    theirs.push(readFd);
    return new Socket({ fd: writeFd, readable: false, writable: true });
  };
  const sync = answerPipe();
  // In the order of the numbers above.
  const more = isExec(request) ? { start: startPipe(), attach: answerPipe() } : {};
  try {
    const pid = spawnProgram({
      file: tools.conmon,
      args: monitorArguments(tools, request),
      directory: request.bundle,
      env,
      descriptors: ["ignore", "ignore", ...theirs, ...(tools.descriptors ?? [])],
    });
    if (request.monitorPidFile) writeFileSync(request.monitorPidFile, String(pid));
    return { pid, sync, ...more };
  } catch (cause) {
    for (const socket of [sync.socket, more.start, more.attach?.socket]) socket?.destroy();
    throw new MonitorError(`Cannot start ${tools.conmon}: ${(cause as Error).message}`, { cause });
  } finally {
    for (const fd of theirs) closeSync(fd);
  }
}

function isExec({ execSpecPath }: MonitorRequest): boolean {
  return execSpecPath !== undefined;
}

function monitorArguments(tools: MonitorTools, request: MonitorRequest): string[] {
  const { id, bundle, execSpecPath } = request;
  return [
    ["--api-version", "1", "--full-attach", "--no-sync-log", "--log-level", "error"],
    ["--cid", id, "--cuuid", id, "--name", id, "--bundle", bundle, "--socket-dir-path", bundle],
    ["--runtime", tools.runtime],
    tools.runtimeArguments.flatMap((argument) => ["--runtime-arg", argument]),
    // Without a second fork: it is in a session of its own all the same.
    isExec(request) ? [] : ["--sync"],
    ["--container-pidfile", request.pidFile, "--exit-dir", request.exitDirectory],
    ["--log-path", request.logPath ? `k8s-file:${request.logPath}` : "none"],
    execSpecPath ? ["--exec", "--exec-attach", "--exec-process-spec", execSpecPath] : [],
    request.tty ? ["--terminal"] : [],
    request.stdin ? ["--stdin"] : [],
    request.stdin && request.leaveStdinOpen ? ["--leave-stdin-open"] : [],
  ].flat();
}

/** What a monitor says: a number that is negative for a failure, and why it failed. */
interface Answer {
  data: number;
  message?: string;
}

/** A pipe from which one line comes; -1 when it ends without. */
interface AnswerPipe {
  socket: Socket;
  answer: Promise<Answer>;
}

/** Reads `{"data": N, "message": "..."}` and a newline. An async iterator would cost more. */
function openAnswerPipe(fd: number): AnswerPipe {
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.setEncoding("utf8");
  const answer = new Promise<Answer>((resolve, reject) => {
    let text = "";
    socket.on("data", (chunk: string) => {
      text += chunk;
      const end = text.indexOf("\n");
      if (end < 0) return;
      try {
        resolve(JSON.parse(text.slice(0, end)) as Answer);
      } catch (error) {
        reject(error);
      }
    });
    socket.once("close", () => resolve({ data: -1 }));
    socket.once("error", reject);
  });
  answer.catch(() => {}); // who waits for it is told
  return { socket, answer };
}

import { connect } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { notFound, StatusError } from "../../api/errors.ts";
import { PODS } from "../../api/generated/resources.ts";
import type { ExecOptions, StreamSession } from "../runtime/contract.ts";
import type { ContainerTarget, LogOptions, StreamBackend } from "./contract.ts";

const STATUS = { image: "app:1", imageID: "", ready: true, restartCount: 0 };

/** A process that a test plays: it reads `stdin` and writes the others. */
export interface FakeProcess {
  options: ExecOptions;
  target: ContainerTarget;
  stdin: PassThrough;
  stdout: PassThrough;
  stderr: PassThrough;
  sizes: { columns: number; rows: number }[];
  /** Ends the process and its output. */
  exit(code: number): void;
  readonly disposed: Promise<void>;
}

/** A backend whose processes are played by `run`. */
export interface FakeBackend extends StreamBackend {
  logOptions: LogOptions[];
  processes: FakeProcess[];
}

/** `run` is called for each exec and attach; port-forward connects to loopback. */
export function createFakeBackend(run: (process: FakeProcess) => void): FakeBackend {
  const processes: FakeProcess[] = [];
  const start = async (target: ContainerTarget, options: ExecOptions): Promise<StreamSession> => {
    if (target.name === "missing") throw notFound(PODS, target.name);
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    let dispose: () => void = () => {};
    let finish: (exit: { exitCode: number }) => void = () => {};
    const disposed = new Promise<void>((resolve) => {
      dispose = resolve;
    });
    const exit = new Promise<{ exitCode: number }>((resolve) => {
      finish = resolve;
    });
    const played: FakeProcess = {
      options,
      target,
      stdin,
      stdout,
      stderr,
      sizes: [],
      disposed,
      exit: (exitCode) => {
        stdout.end();
        stderr.end();
        finish({ exitCode });
      },
    };
    processes.push(played);
    run(played);
    return {
      ...(options.stdin ? { stdin } : {}),
      ...(options.stdout ? { stdout } : {}),
      ...(options.stderr && !options.tty ? { stderr } : {}),
      resize: (size) => void played.sizes.push(size),
      exit,
      [Symbol.asyncDispose]: async () => {
        for (const stream of [stdin, stdout, stderr]) stream.destroy();
        dispose();
      },
    };
  };
  const logOptions: LogOptions[] = [];
  return {
    processes,
    logOptions,
    exec: (target, options) => start(target, options),
    attach: (target, options) => start(target, { ...options, command: [], tty: false }),
    portForward: (_pod, port) =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: "127.0.0.1", port });
        socket.once("error", reject);
        socket.once("connect", () => resolve(socket));
      }),
    logs: async (target, options) => {
      if (target.name === "missing") throw notFound(PODS, target.name);
      logOptions.push(options);
      return Readable.from(["one\n", "two\n"], { objectMode: false });
    },
    pods: () => [
      {
        metadata: { name: "web", namespace: "a", labels: { tier: "front" } },
        status: {
          containerStatuses: [
            { ...STATUS, name: "up", state: { running: {} } },
            { ...STATUS, name: "down", state: { waiting: {} } },
          ],
        },
      },
      { metadata: { name: "idle" } },
    ],
    statsSummary: async () => ({ node: {} }),
    configuration: () => ({ maxPods: 110 }),
    checkpoint({ container }) {
      throw new StatusError("InternalError", `no checkpoint of ${container}`);
    },
    metrics: async () => "up 1\n",
  };
}

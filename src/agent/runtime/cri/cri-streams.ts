import { GrpcError } from "../../../format/grpc/grpc-status.ts";
import { openRemoteCommand } from "../../remote-command.ts";
import { startExitCode } from "../container-start.ts";
import {
  type AttachOptions,
  type ExecOptions,
  type ExecResult,
  RuntimeError,
  type StreamSession,
} from "../contract.ts";
import { type CriContext, criError } from "./cri-context.ts";
import type { CriContainer } from "./cri-table.ts";

const OUTPUT_MAX_BYTES = 16 * 1024;
const TIMED_OUT_EXIT_CODE = 137;
const MARGIN_MS = 10_000;

/** @throws RuntimeError "not-running" */
function running({ table }: CriContext, id: string): CriContainer {
  const found = table.container(id);
  const { name, state } = found.status;
  if (state === "running") return found;
  throw new RuntimeError("not-running", `Container "${name}" is not running: it is ${state}`);
}

/** Runs a command to its end; the runtime kills it in time, which it counts in whole seconds. */
export async function execSync(
  context: CriContext,
  id: string,
  { command, timeoutMs }: { command: readonly string[]; timeoutMs: number },
): Promise<ExecResult> {
  const { remoteId: containerId } = running(context, id);
  const timeout = Math.max(1, Math.ceil(timeoutMs / 1000));
  const deadline = { timeoutMs: timeout * 1000 + MARGIN_MS };
  try {
    const request = { containerId, cmd: command, timeout };
    const answer = await context.client.call("RuntimeService/ExecSync", request, deadline);
    const [stdout, stderr] = [cut(answer.stdout), cut(answer.stderr)];
    return { exitCode: answer.exitCode, stdout, stderr, timedOut: false };
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    const late = error.code === "deadline-exceeded" || /timeout .* exceeded/.test(error.message);
    if (late) return { exitCode: TIMED_OUT_EXIT_CODE, stdout: "", stderr: "", timedOut: true };
    if (!/failed to (start )?exec/.test(error.message)) throw criError(error);
    const exitCode = startExitCode(error.message);
    return { exitCode, stdout: "", stderr: error.message, timedOut: false };
  }
}

function cut(output: Uint8Array): string {
  return Buffer.from(output.subarray(0, OUTPUT_MAX_BYTES)).toString("utf8");
}

/** Starts a command with live streams, by the runtime's own server for them. */
export async function execSession(
  context: CriContext,
  id: string,
  { command, ...streams }: ExecOptions,
): Promise<StreamSession> {
  const { remoteId: containerId } = running(context, id);
  const wanted = { ...streams, stderr: streams.stderr && !streams.tty };
  try {
    const request = { containerId, cmd: command, ...wanted };
    const { url } = await context.client.call("RuntimeService/Exec", request);
    const { clock } = context.options;
    return await openRemoteCommand(url, { ...wanted, clock, exitCodeOf: startExitCode });
  } catch (error) {
    throw criError(error, command[0]);
  }
}

/** Joins the streams of the running process; it ends with what the container ends with. */
export async function attachSession(
  context: CriContext,
  id: string,
  options: AttachOptions,
): Promise<StreamSession> {
  const { table, client } = context;
  const { remoteId: containerId, kept } = running(context, id);
  const { tty } = kept;
  const stdin = options.stdin && kept.stdin;
  const wanted = { stdin, stdout: options.stdout, stderr: options.stderr && !tty, tty };
  try {
    const { url } = await client.call("RuntimeService/Attach", { containerId, ...wanted });
    const { clock } = context.options;
    const session = await openRemoteCommand(url, { ...wanted, clock, exitCodeOf: startExitCode });
    const exit = session.exit.then(async () => {
      await table.exited(id);
      return { exitCode: table.containers.get(id)?.status.exitCode ?? 0 };
    });
    return { ...session, exit };
  } catch (error) {
    throw criError(error);
  }
}

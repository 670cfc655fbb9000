import type { Readable } from "node:stream";
import { StatusError } from "../../api/errors.ts";
import type { Status } from "../../api/status.ts";
import type { ExecOptions, StreamSession } from "../runtime/contract.ts";
import type { SessionBackend } from "./contract.ts";
import { flag, type StreamRequest } from "./stream-request.ts";

/** Streams that the client asked for. */
export function streamFlagsOf({ query }: StreamRequest): Omit<ExecOptions, "command"> {
  const tty = flag(query, "tty");
  return {
    tty,
    stdin: flag(query, "input", "stdin"),
    stdout: flag(query, "output", "stdout"),
    // A terminal has one output: upstream refuses stderr beside it, clients rely on its absence.
    stderr: flag(query, "error", "stderr") && !tty,
  };
}

/** Opens the session of an exec or attach request. @throws StatusError */
export async function openSession(
  backend: SessionBackend,
  request: StreamRequest,
): Promise<StreamSession> {
  const streams = streamFlagsOf(request);
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw new StatusError("BadRequest", "you must specify at least 1 of stdin, stdout, stderr");
  }
  if (request.verb === "attach") return await backend.attach(request.target, streams);
  const command = request.query.getAll("command");
  if (command.length === 0) throw new StatusError("BadRequest", "you must specify a command");
  return await backend.exec(request.target, { command, ...streams });
}

/** What the error channel says at the end: success, or how the command failed. */
export function exitStatus(exitCode: number): Status {
  if (exitCode === 0) {
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 200 };
  }
  const message = `command terminated with non-zero exit code: exit status ${exitCode}`;
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    reason: "NonZeroExitCode",
    message,
    details: { causes: [{ reason: "ExitCode", message: `${exitCode}` }] },
    code: 500,
  };
}

/** A failure of the session itself, as the error channel words it. */
export function failureStatus(error: unknown): Status {
  if (error instanceof StatusError) return error.status;
  return new StatusError("InternalError", (error as Error).message).status;
}

/** Resolves when the stream ended or broke; `undefined` streams have ended already. */
export function untilEnd(stream: Readable | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!stream || stream.destroyed || stream.readableEnded) return resolve();
    stream
      .once("end", resolve)
      .once("close", resolve)
      .once("error", () => resolve());
  });
}

import path from "node:path";
import { PassThrough, Writable } from "node:stream";
import { connectSeqpacket, type SeqpacketConnection } from "../../sys/seqpacket.ts";
import type { AttachOptions, StreamSession } from "./contract.ts";
import { resizeTerminal } from "./monitor-control.ts";

/** The first byte of each message of conmon. */
const STREAM = { stdout: 2, stderr: 3 } as const;
/** conmon cuts longer messages. */
const MESSAGE_MAX_BYTES = 8192;

/** What a session is attached to. */
export interface AttachTarget {
  tty: boolean;
  streams: AttachOptions;
  /** Asked once, after the monitor closed the connection; the last words come on stdout. */
  outcome: () => Promise<{ exitCode: number; lastWords?: string }>;
  atEnd?: () => void;
}

/**
 * Joins the streams of the process whose monitor has its socket in `directory`. Output that came
 * before is in the log only. @throws SysError ENOENT, ECONNREFUSED when the monitor is gone
 */
export function openAttachSession(directory: string, target: AttachTarget): StreamSession {
  const { streams, tty } = target;
  const stdout = streams.stdout ? new PassThrough() : undefined;
  const stderr = streams.stderr && !tty ? new PassThrough() : undefined;
  let resolveEnd = () => {};
  const ended = new Promise<void>((resolve) => {
    resolveEnd = resolve;
  });
  const connection = connectSeqpacket(path.join(directory, "attach"), {
    message(bytes) {
      const output = bytes[0] === STREAM.stderr && !tty ? stderr : stdout;
      const known = bytes[0] === STREAM.stdout || bytes[0] === STREAM.stderr;
      if (!known || !output || output.write(bytes.subarray(1))) return;
      connection.pause(); // the reader is slow: the process will have to wait
      output.once("drain", () => connection.resume());
    },
    end: () => resolveEnd(),
  });
  const stdin = streams.stdin ? stdinOf(connection) : undefined;
  const exit = ended.then(async () => {
    stderr?.end();
    stdin?.destroy();
    const { exitCode, lastWords } = await target.outcome();
    stdout?.end(lastWords);
    target.atEnd?.();
    return { exitCode };
  });
  return {
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    resize: (size) => void (tty && resizeTerminal(directory, size)),
    exit,
    async [Symbol.asyncDispose]() {
      connection.close();
      stdout?.destroy();
      stderr?.destroy();
      await ended;
    },
  };
}

/** One message at a time, each short enough; ending it closes the process's input. */
function stdinOf(connection: SeqpacketConnection): Writable {
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const next = (at: number) => {
        if (at >= chunk.length) return done();
        const message = chunk.subarray(at, at + MESSAGE_MAX_BYTES);
        connection.send(message, (error) => (error ? done(error) : next(at + MESSAGE_MAX_BYTES)));
      };
      next(0);
    },
    final: (done) => connection.finish(done),
  });
  stdin.on("error", () => {}); // the process ended before its input did
  return stdin;
}

import { closeSync, openSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { replaceDescriptor } from "./file.ts";
import { check, libc } from "./libc.ts";
import { SysError } from "./sys-error.ts";

// JUSTIFICATION: Node.js opens stream sockets only.
// SAFETY: buffers outlive their synchronous call. Two descriptors of one connection are open: one
// belongs to the Socket, the other to this module until `close`.
const socketCall = libc.func("int socket(int domain, int type, int protocol)");
const connectCall = libc.func("int connect(int fd, const uint8_t *address, unsigned int size)");
const socketpairCall = libc.func(
  "int socketpair(int domain, int type, int protocol, _Out_ int *fds)",
);
const receiveCall = libc.func("recv", "long", ["int", "void *", "size_t", "int"]);

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const MSG_DONTWAIT = 0x40;
const MESSAGE_MAX_BYTES = 64 * 1024;

/** What happens on a connection; `message` may be called after `pause` with what was read. */
export interface SeqpacketEvents {
  message(bytes: Buffer): void;
  /** The other side is gone and everything was delivered. Called once, also after `close`. */
  end(): void;
}

/** A connection of messages. */
export interface SeqpacketConnection {
  /** Sends one message; the next only after `done`. */
  send(message: Uint8Array, done: (error?: Error | null) => void): void;
  /** Tells the other side that nothing more is sent. */
  finish(done: () => void): void;
  pause(): void;
  resume(): void;
  close(): void;
}

/**
 * Connects to a unix socket of type SEQPACKET; the path may be longer than socket addresses allow.
 * Does not block: conmon always accepts. @throws SysError ECONNREFUSED, ENOENT. Source: unix(7).
 */
export function connectSeqpacket(file: string, events: SeqpacketEvents): SeqpacketConnection {
  const fd = connectTo(file);
  const socket = adopt(fd);
  let open = true;
  const end = () => {
    if (!open) return;
    open = false;
    drain(fd, events);
    closeSync(fd);
    socket.destroy();
    events.end();
  };
  socket.on("data", (bytes: Buffer) => events.message(bytes));
  socket.once("end", end);
  socket.on("error", end);
  socket.once("close", end);
  return {
    send: (message, done) => void socket.write(message, done),
    finish: (done) => void socket.end(done),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.destroy(),
  };
}

/**
 * libuv takes a hang-up after a short read for the end, as it is on streams; here every read is
 * short, and whole messages may still be queued.
 */
function drain(fd: number, events: SeqpacketEvents): void {
  for (;;) {
    const buffer = Buffer.alloc(MESSAGE_MAX_BYTES);
    const size = Number(receiveCall(fd, buffer, buffer.length, MSG_DONTWAIT));
    if (size <= 0) return;
    events.message(buffer.subarray(0, size));
  }
}

function connectTo(file: string): number {
  const directory = openSync(path.dirname(file), O_PATH);
  try {
    const fd: number = socketCall(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) throw SysError.last("socket(SEQPACKET)");
    const name = Buffer.from(`/proc/self/fd/${directory}/${path.basename(file)}`);
    const address = Buffer.alloc(name.length + 3);
    address.writeUInt16LE(AF_UNIX, 0);
    name.copy(address, 2);
    if (connectCall(fd, address, address.length) === 0) return fd;
    const error = SysError.last(`connect "${file}"`);
    closeSync(fd);
    throw error;
  } finally {
    closeSync(directory);
  }
}

/**
 * Gives the connection to an event loop that refuses its type although it can serve it: a Socket is
 * made of a stream socket, and the descriptor replaced before the loop has looked at it.
 */
function adopt(fd: number): Socket {
  const pair = [0, 0];
  check(socketpairCall(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
  const [near = -1, far = -1] = pair;
  closeSync(far);
  const socket = new Socket({ fd: near, readable: true, writable: true, allowHalfOpen: true });
  replaceDescriptor(fd, near);
  return socket;
}

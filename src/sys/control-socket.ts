import { closeSync } from "node:fs";
import koffi from "koffi";
import { check, libc, SYSCALL } from "./libc.ts";

// JUSTIFICATION: Node.js sends no descriptors, and takes none of another process.
// SAFETY: buffers outlive their synchronous calls. Descriptors that are returned belong to the
// caller; those that are sent stay the caller's.
const vector = koffi.struct("iovec", { base: "const uint8_t *", length: "size_t" });
const header = koffi.struct("msghdr", {
  name: "const void *",
  nameLength: "uint32_t",
  vectors: koffi.pointer(vector),
  vectorCount: "size_t",
  control: "const uint8_t *",
  controlLength: "size_t",
  flags: "int",
});
const socketCall = libc.func("int socket(int domain, int type, int protocol)");
const socketpairCall = libc.func(
  "int socketpair(int domain, int type, int protocol, _Out_ int *fds)",
);
const connectCall = libc.func("int connect(int fd, const uint8_t *address, unsigned int size)");
const bindCall = libc.func("int bind(int fd, const uint8_t *address, unsigned int size)");
const listenCall = libc.func("int listen(int fd, int backlog)");
const shutdownCall = libc.func("int shutdown(int fd, int how)");
const sendCall = libc.func("sendmsg", "long", ["int", koffi.pointer(header), "int"]);
const pidfdOpenCall = libc.func("syscall", "long", ["long", "int", "uint"]);
const pidfdGetCall = libc.func("syscall", "long", ["long", "int", "int", "uint"]);

const AF_UNIX = 1;
const STREAM_CLOEXEC = 1 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;
const BACKLOG = 64;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const CONTROL_HEADER_BYTES = 16;
const CONTROL_ALIGNMENT = 8;

/** A unix stream socket that is not connected yet. */
export function openStreamSocket(): number {
  return check(socketCall(AF_UNIX, STREAM_CLOEXEC, 0), "socket");
}

/** Two connected unix stream sockets; both close on exec. */
export function openSocketPair(): [number, number] {
  const fds = [-1, -1];
  check(socketpairCall(AF_UNIX, STREAM_CLOEXEC, 0, fds), "socketpair");
  return [fds[0] ?? -1, fds[1] ?? -1];
}

/**
 * Connects a socket to a name without a file, of this network namespace. Waits only while the
 * other side has more connections than it takes. @throws SysError ECONNREFUSED. Source: unix(7).
 */
export function connectToName(fd: number, name: string): void {
  const address = nameAddress(name);
  check(connectCall(fd, address, address.length), `connect "@${name}"`);
}

/** A socket that takes connections to such a name. @throws SysError EADDRINUSE */
export function listenOnName(name: string): number {
  const fd = openStreamSocket();
  try {
    const address = nameAddress(name);
    check(bindCall(fd, address, address.length), `bind "@${name}"`);
    check(listenCall(fd, BACKLOG), "listen");
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function nameAddress(name: string): Buffer {
  return Buffer.concat([Buffer.from([AF_UNIX, 0, 0]), Buffer.from(name)]);
}

/**
 * Sends bytes, and with the first of them these descriptors; waits while the other side has not
 * room for all. @throws SysError EPIPE when it is gone. Source: unix(7), SCM_RIGHTS.
 */
export function sendDescriptors(
  fd: number,
  bytes: Uint8Array,
  descriptors: readonly number[],
): void {
  for (let sent = 0; sent < bytes.length; ) {
    const control = sent === 0 && descriptors.length > 0 ? rights(descriptors) : null;
    const part = bytes.subarray(sent);
    const message = {
      name: null,
      nameLength: 0,
      vectors: [{ base: part, length: part.length }],
      vectorCount: 1,
      control,
      controlLength: control?.length ?? 0,
      flags: 0,
    };
    sent += check(sendCall(fd, message, MSG_NOSIGNAL), "sendmsg");
  }
}

function rights(descriptors: readonly number[]): Uint8Array {
  const size = CONTROL_HEADER_BYTES + descriptors.length * 4;
  const control = Buffer.alloc(Math.ceil(size / CONTROL_ALIGNMENT) * CONTROL_ALIGNMENT);
  control.writeBigUInt64LE(BigInt(size), 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  for (const [at, fd] of descriptors.entries()) {
    control.writeInt32LE(fd, CONTROL_HEADER_BYTES + at * 4);
  }
  return control;
}

/** Tells the other side that nothing more is sent. */
export function finishSending(fd: number): void {
  check(shutdownCall(fd, SHUT_WR), "shutdown");
}

/**
 * Gets another name, in this process, for what these descriptors of another process name; the
 * caller closes them. @throws SysError ESRCH, EBADF. Source: pidfd_getfd(2).
 */
export function borrowDescriptors(pid: number, descriptors: readonly number[]): number[] {
  const pidfd = check(pidfdOpenCall(SYSCALL.pidfdOpen, pid, 0), "pidfd_open");
  const borrowed: number[] = [];
  try {
    for (const fd of descriptors) {
      borrowed.push(check(pidfdGetCall(SYSCALL.pidfdGetfd, pidfd, fd, 0), "pidfd_getfd"));
    }
    return borrowed;
  } catch (error) {
    for (const fd of borrowed) closeSync(fd);
    throw error;
  } finally {
    closeSync(pidfd);
  }
}

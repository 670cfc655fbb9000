import { Socket } from "node:net";
import koffi from "koffi";
import { withinNetworkNamespace } from "./network-namespace.ts";
import { SysError } from "./sys-error.ts";

// JUSTIFICATION: net.connect creates its socket on a later tick, outside the namespace.
// SAFETY: the descriptor belongs to the returned Socket, or is closed here on every failure.
const libc = koffi.load("libc.so.6");
const socketCall = libc.func("int socket(int domain, int type, int protocol)");
const connectCall = libc.func("int connect(int fd, const uint8_t *address, unsigned int size)");
const pollCall = libc.func("int poll(_Inout_ uint8_t *entries, unsigned long count, int timeout)");
const getsockoptCall = libc.func(
  "int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *size)",
);
const closeCall = libc.func("int close(int fd)");

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0x800 | 0x80000;
const EINPROGRESS = 115;
const POLL_INTERVAL_MS = 2;

/**
 * Connects by TCP to this port of the loopback interface inside the namespace at `file`, over IPv4
 * and else over IPv6. @throws SysError ECONNREFUSED when nobody listens, ETIMEDOUT
 */
export async function connectToLoopback(
  file: string,
  options: { port: number; timeoutMs: number },
): Promise<Socket> {
  try {
    return await connectTo(file, { ...options, address: loopback4(options.port) });
  } catch (error) {
    if (!(error instanceof SysError) || error.code !== "ECONNREFUSED") throw error;
    return await connectTo(file, { ...options, address: loopback6(options.port) });
  }
}

function loopback4(port: number): Uint8Array {
  const address = new Uint8Array(16);
  address.set([AF_INET, 0, port >> 8, port & 255, 127, 0, 0, 1]);
  return address;
}

function loopback6(port: number): Uint8Array {
  const address = new Uint8Array(28);
  address.set([AF_INET6, 0, port >> 8, port & 255]);
  address[23] = 1;
  return address;
}

async function connectTo(
  file: string,
  options: { address: Uint8Array; timeoutMs: number },
): Promise<Socket> {
  const { address, timeoutMs } = options;
  const { fd, errno } = withinNetworkNamespace(file, () => {
    const created: number = socketCall(address[0], SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
    if (created < 0) throw SysError.last("socket");
    const failed = connectCall(created, address, address.length) < 0;
    return { fd: created, errno: failed ? koffi.errno() : 0 };
  });
  try {
    if (errno === EINPROGRESS) await established(fd, timeoutMs);
    else if (errno !== 0) throw SysError.of(errno, "connect");
  } catch (error) {
    closeCall(fd);
    throw error;
  }
  return new Socket({ fd, readable: true, writable: true });
}

/** Loopback handshakes nearly always end inside connect(2); the rest is polled for. */
async function established(fd: number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const entry = new Uint8Array(8);
  const view = new DataView(entry.buffer);
  while (performance.now() < deadline) {
    view.setInt32(0, fd, true);
    view.setUint16(4, 4, true); // POLLOUT
    view.setUint16(6, 0, true);
    if (pollCall(entry, 1, 0) > 0) {
      const value = new Uint8Array(4);
      const size = new Uint32Array([4]);
      getsockoptCall(fd, 1, 4, value, size); // SOL_SOCKET, SO_ERROR
      const errno = new DataView(value.buffer).getInt32(0, true);
      if (errno !== 0) throw SysError.of(errno, "connect");
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
  throw SysError.of(110, "connect"); // ETIMEDOUT
}

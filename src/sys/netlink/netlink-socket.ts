import koffi from "koffi";
import {
  concat,
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
  type ReceivedMessage,
} from "../../format/netlink/message.ts";
import { SysError } from "../sys-error.ts";

// JUSTIFICATION: Node.js has no AF_NETLINK sockets and no library for them is maintained.
// SAFETY: every buffer is owned by this module and outlives its synchronous call.
const libc = koffi.load("libc.so.6");
const socketCall = libc.func("int socket(int domain, int type, int protocol)");
const bindCall = libc.func("int bind(int fd, const uint8_t *address, unsigned int size)");
const sendCall = libc.func("long send(int fd, const uint8_t *data, size_t size, int flags)");
const receiveCall = libc.func("long recv(int fd, _Out_ uint8_t *data, size_t size, int flags)");
const closeCall = libc.func("int close(int fd)");

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** A dump comes in pieces; the kernel fills no more than 32 KiB of them. */
const RECEIVE_BYTES = 32 * 1024;

/**
 * A netlink socket in the network namespace that the calling thread was in when it was opened;
 * it stays there. Requests are synchronous (about 0.1 ms each). Not for concurrent use by threads.
 * Source: netlink(7), rtnetlink(7).
 */
export interface NetlinkSocket extends Disposable {
  /** Sends one request and returns the messages of its answer. @throws SysError with the errno */
  request(message: NetlinkMessage): ReceivedMessage[];
  /**
   * Performs a few requests in order with one system call. The kernel goes on after a failure, so
   * all were tried when this throws the first one's SysError.
   */
  batch(messages: readonly NetlinkMessage[]): void;
}

/** Opens a socket of `protocol`: 0 is NETLINK_ROUTE. @throws SysError */
export function openNetlinkSocket(protocol = 0): NetlinkSocket {
  const fd: number = socketCall(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
  if (fd < 0) throw SysError.last("socket(AF_NETLINK)");
  const address = new Uint8Array(12);
  address[0] = AF_NETLINK;
  if (bindCall(fd, address, address.length) < 0) {
    const error = SysError.last("bind(AF_NETLINK)");
    closeCall(fd);
    throw error;
  }
  let sequence = 1;
  let closed = false;
  const buffer = new Uint8Array(RECEIVE_BYTES);

  const send = (bytes: Uint8Array) => {
    if (sendCall(fd, bytes, bytes.length, 0) < 0) throw SysError.last("send(netlink)");
  };
  /** Reads until `wanted` was acknowledged; its data messages go to `data`. */
  const receiveUntil = (wanted: number, data: ReceivedMessage[]): SysError | undefined => {
    for (;;) {
      const size = Number(receiveCall(fd, buffer, buffer.length, 0));
      if (size < 0) throw SysError.last("recv(netlink)");
      let outcome: SysError | "done" | undefined;
      for (const message of decodeMessages(buffer.slice(0, size))) {
        if (message.sequence !== wanted) continue; // the rest of an answer that was given up
        if (message.type === NLMSG_ERROR) {
          const view = new DataView(message.body.buffer, message.body.byteOffset, 4);
          const errno = -view.getInt32(0, true);
          outcome = errno === 0 ? "done" : SysError.of(errno, "netlink request");
        } else if (message.type === NLMSG_DONE) {
          outcome = "done";
        } else {
          data.push(message);
        }
      }
      if (outcome) return outcome === "done" ? undefined : outcome;
    }
  };

  return {
    request(message) {
      const number = sequence++;
      send(encodeMessage(message, number));
      const data: ReceivedMessage[] = [];
      const error = receiveUntil(number, data);
      if (error) throw error;
      return data;
    },
    batch(messages) {
      const first = sequence;
      send(concat(messages.map((message) => encodeMessage(message, sequence++))));
      let failure: SysError | undefined;
      for (let number = first; number < sequence; number++) {
        const error = receiveUntil(number, []);
        failure ??= error;
      }
      if (failure) throw failure;
    },
    [Symbol.dispose]() {
      if (!closed) closeCall(fd);
      closed = true;
    },
  };
}

import { type RequestOptions, request } from "node:https";
import { WebSocket } from "ws";
import { messageBytes } from "./websocket-channels.ts";

interface Answer {
  status: number;
  text: string;
}

/** The answer to a GET, whole. */
export function get(
  options: RequestOptions,
  path: string,
  more: RequestOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...options, ...more, path }, (response) => {
      response
        .toArray()
        .then(
          (chunks) =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          reject,
        );
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

interface Message {
  channel: number;
  text: string;
}

interface OpenedSocket {
  socket: WebSocket;
  messages: readonly Message[];
  opened: Promise<void>;
  /** The code that it was closed with. */
  closed: Promise<number>;
  textOf(channel: number): string;
}

/** A WebSocket, and what came over it by channel. */
export function openSocket(
  options: RequestOptions,
  path: string,
  protocols: string[],
): OpenedSocket {
  const { host, port, ca, cert, key } = options;
  const socket = new WebSocket(`wss://${host}:${port}${path}`, protocols, { ca, cert, key });
  const messages: Message[] = [];
  socket.on("message", (data) => {
    const bytes = messageBytes(data);
    messages.push({ channel: bytes[0] ?? -1, text: bytes.subarray(1).toString() });
  });
  const opened = new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  const textOf = (channel: number) =>
    messages
      .filter((message) => message.channel === channel)
      .map(({ text }) => text)
      .join("");
  return { socket, messages, opened, closed, textOf };
}

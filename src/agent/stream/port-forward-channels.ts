import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { WebSocket } from "ws";
import type { Clock, Timer } from "../../lib/clock.ts";
import { failureText, type PortForwardOptions } from "./port-forward.ts";
import {
  channelCodec,
  channelReader,
  channelWriter,
  feed,
  messageBytes,
} from "./websocket-channels.ts";

/** Subprotocols of forwarding by numbered channels. */
export const PORT_CHANNEL_PROTOCOLS: readonly string[] = [
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
];

const QUIET_MS = 1_000;

/**
 * Serves port-forward over WebSocket channels: for the n-th port, channel 2n carries data and 2n+1
 * errors; the first message on each is the port (16 bits, little-endian).
 */
export function servePortChannels(
  socket: WebSocket,
  of: PortForwardOptions & { ports: readonly number[]; protocol: string },
): void {
  const codec = channelCodec(of.protocol);
  const lanes = of.ports.map((port, at) => {
    const head = Buffer.alloc(2);
    head.writeUInt16LE(port);
    const data = channelWriter(socket, { codec, channel: 2 * at });
    const errors = channelWriter(socket, { codec, channel: 2 * at + 1 });
    data.write(head);
    errors.write(head);
    return { port, data, errors, reader: channelReader(socket), connected: false };
  });
  socket.on("error", () => {});
  socket.on("message", (message) => {
    const part = codec.decode(messageBytes(message));
    const lane = part && part.channel % 2 === 0 ? lanes[part.channel / 2] : undefined;
    if (!part || !lane) return;
    feed(socket, { reader: lane.reader, bytes: part.bytes });
  });
  for (const lane of lanes) {
    of.backend.portForward(of.pod, lane.port).then(
      (target) => {
        socket.once("close", () => target.destroy());
        target.on("error", () => target.destroy());
        // The pod may end its direction and still read.
        target.allowHalfOpen = true;
        lane.reader.pipe(target);
        target.pipe(lane.data, { end: false });
        endWhenQuiet(target, { input: lane.reader, clock: of.clock });
        // Channels cannot be closed one by one; the last one takes the connection with it.
        target.once("close", () => {
          lane.connected = true;
          if (lanes.every(({ connected }) => connected)) socket.close(1000);
        });
      },
      (error: unknown) => void lane.errors.write(failureText(lane.port, of.pod, error)),
    );
  }
}

/**
 * Channels cannot tell that one direction has ended: once the pod has ended its own, the client's
 * counts as ended when nothing came for a moment.
 */
function endWhenQuiet(target: Socket, of: { input: Readable; clock: Clock }): void {
  target.once("end", () => {
    let timer: Timer;
    const wait = () => {
      timer = of.clock.setTimer(QUIET_MS, () => target.end());
    };
    const again = () => {
      timer.cancel();
      wait();
    };
    wait();
    of.input.on("data", again);
    target.once("close", () => {
      timer.cancel();
      of.input.off("data", again);
    });
  });
}

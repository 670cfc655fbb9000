import type { Duplex } from "node:stream";
import type { Clock } from "../../lib/clock.ts";
import { SpdySession } from "./spdy-session.ts";

/** What a test client saw of one stream. */
export interface ClientStream {
  /** Resolves when the server took the stream. */
  readonly accepted: Promise<void>;
  /** Resolves with all text when the server finished or reset the stream. */
  readonly ended: Promise<string>;
  /** Status of the server's reset. */
  readonly resetStatus: number | undefined;
  write(text: string): void;
  /** Half-closes. */
  end(): void;
}

/** A SPDY/3.1 client as small as tests need it. */
export interface SpdyClient {
  open(headers: Record<string, string>): ClientStream;
  ping(): Promise<void>;
  readonly closed: Promise<void>;
  destroy(): void;
}

/** Speaks SPDY over a connection that was upgraded. */
export function createSpdyClient(transport: Duplex, clock: Clock): SpdyClient {
  const session = new SpdySession(transport, { role: "client", clock });
  return {
    closed: session.closed,
    destroy: () => void transport.destroy(),
    ping: () => session.ping(),
    open: (headers) => {
      const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
      const { stream, accepted } = session.open(new Map(lower as [string, string][]));
      let text = "";
      stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
      const ended = new Promise<string>((resolve) => {
        stream.once("end", () => resolve(text));
        stream.once("close", () => resolve(text));
      });
      return {
        accepted,
        ended,
        get resetStatus() {
          return stream.resetStatus;
        },
        write: (part) => void stream.write(part),
        end: () => void stream.end(),
      };
    },
  };
}

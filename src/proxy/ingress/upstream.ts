import type { Readable, Writable } from "node:stream";
import type { HeaderList } from "./headers.ts";
import type { BackendProtocol } from "./route-table.ts";

/** One place that serves a backend, and how it speaks. */
export interface Endpoint {
  /** Of a pod, or the name of a server outside. */
  address: string;
  port: number;
  protocol: BackendProtocol;
  /** Who it must prove to be, and who we are to it; otherwise TLS encrypts and proves nothing. */
  tls?: EndpointTls;
}

/** As `tls.connect` takes it; connections with another `id` are not shared. */
export interface EndpointTls {
  id: string;
  rejectUnauthorized: boolean;
  servername: string;
  ca?: string;
  cert?: string;
  key?: string;
}

/** What an endpoint is asked. */
export interface UpstreamRequest {
  method: string;
  target: string;
  /** With one host; without what is between neighbours. */
  headers: HeaderList;
  hasBody: boolean;
}

/** The head of an endpoint's answer; its body follows. */
export interface UpstreamAnswer {
  status: number;
  headers: HeaderList;
  body: Readable;
  /** Neither body nor trailers follow. */
  ends: boolean;
  /** Complete when `body` has ended. */
  trailers(): HeaderList;
  /** Whether a body that ended did so at its true end. */
  isWhole(): boolean;
}

/** A request on a connection that stands: from here on the endpoint may have seen it. */
export interface OpenRequest {
  /** Takes the request's body; must be ended in any case. */
  body: Writable;
  /** Rejects when the connection breaks or falls silent first. */
  answer: Promise<UpstreamAnswer>;
  /** Whether a failure may come from a connection that was closed while it was idle. */
  isReused: boolean;
  /** Gives the request up. */
  destroy(): void;
}

/** Ways to endpoints over one protocol. Disposing closes all connections. */
export interface Upstream extends Disposable {
  /** @throws Error when no connection comes about: nothing was sent */
  open(endpoint: Endpoint, request: UpstreamRequest): Promise<OpenRequest>;
}

/** How long upstreams wait. */
export interface UpstreamTimeouts {
  connectMs: number;
  /** Silence before the answer begins. */
  answerMs: number;
  /** Silence in the middle of an answer or of an upgraded connection. */
  idleMs: number;
}

/** The endpoint took the request but kept silent for too long. */
export class UpstreamSilentError extends Error {
  override name = "UpstreamSilentError";
}

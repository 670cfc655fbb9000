/** Protocol version in every control frame; SPDY/3.1 still says 3. */
export const SPDY_VERSION = 3;
/** Size of the head that starts every frame. */
export const FRAME_HEAD_BYTES = 8;
/** Window of a stream until SETTINGS or WINDOW_UPDATE changes it. */
export const INITIAL_WINDOW_BYTES = 65_536;
/** Longest DATA payload that the 24-bit length can tell. */
export const DATA_MAX_BYTES = 0xff_ff_ff;

/** Numbers of the control frames. */
export const CONTROL_TYPE = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Set on the last frame that its sender sends on a stream. */
export const FLAG_FIN = 0x01;
/** Of SYN_STREAM: the recipient may not send. */
export const FLAG_UNIDIRECTIONAL = 0x02;

/** Why a stream is reset. */
export const RESET_STATUS = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  internalError: 6,
  flowControlError: 7,
} as const;

/** Why a connection goes away. */
export const GOAWAY_STATUS = { ok: 0, protocolError: 1, internalError: 2 } as const;

/** Of SETTINGS: window that streams start with. */
export const SETTING_INITIAL_WINDOW = 7;

/** Names are lower case; several values of one name are joined by NUL. */
export type SpdyHeaders = ReadonlyMap<string, string>;

/** One entry of SETTINGS. */
export interface SpdySetting {
  flags: number;
  id: number;
  value: number;
}

/** A frame of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00, and WINDOW_UPDATE as 3.1 has it). */
export type SpdyFrame =
  | {
      type: "syn-stream";
      streamId: number;
      associatedId: number;
      /** 0 is the most urgent, 7 the least. */
      priority: number;
      unidirectional: boolean;
      fin: boolean;
      headers: SpdyHeaders;
    }
  | { type: "syn-reply"; streamId: number; fin: boolean; headers: SpdyHeaders }
  | { type: "rst-stream"; streamId: number; status: number }
  | { type: "settings"; settings: readonly SpdySetting[] }
  | { type: "ping"; id: number }
  | { type: "goaway"; lastStreamId: number; status: number }
  | { type: "headers"; streamId: number; fin: boolean; headers: SpdyHeaders }
  /** Stream 0 is the whole connection. */
  | { type: "window-update"; streamId: number; delta: number }
  /** Decoders pass on long frames in pieces; `fin` stands on the last. */
  | { type: "data"; streamId: number; fin: boolean; bytes: Uint8Array };

/** Bytes that are not SPDY/3.1, or more than the bounds allow: the connection is lost. */
export class SpdyError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "SpdyError";
  }
}

/** Bytes that break the framing of SPDY/3.1; the connection cannot go on. */
export class SpdyError extends Error {
  override name = "SpdyError";
}

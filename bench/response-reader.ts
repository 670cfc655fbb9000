const EXCERPT_BYTES = 512;
const CR_LF_BYTES = 2;

/** One answer. Its body is counted and dropped, but for what is kept of its beginning. */
export interface LeanResponse {
  status: number;
  bodyBytes: number;
  /** As many of the first bytes of the body as are kept; each one is a character. */
  excerpt: string;
}

/** Finds the end of one HTTP/1.1 answer after the other in what a connection receives. */
export class ResponseReader {
  readonly #keptMaxBytes: number;
  /** Bytes of a head, or of the line before a chunk, whose end has not come. */
  #pending: Buffer = Buffer.alloc(0);
  #status = 0;
  /** Bytes to skip: of the body, or of a chunk and the line end after it. */
  #left = 0;
  #state: "head" | "sized" | "chunk-size" | "chunk" | "last-chunk" = "head";
  #bodyBytes = 0;
  #excerpt = "";

  constructor(keptMaxBytes: number = EXCERPT_BYTES) {
    this.#keptMaxBytes = keptMaxBytes;
  }

  /**
   * `undefined` until the answer is complete. Nothing may follow it: one request at a time. What is
   * received may be overwritten after that.
   */
  take(received: Buffer): LeanResponse | undefined {
    let bytes = this.#pending.length > 0 ? Buffer.concat([this.#pending, received]) : received;
    this.#pending = Buffer.alloc(0);
    for (;;) {
      if (this.#state === "sized" || this.#state === "chunk" || this.#state === "last-chunk") {
        bytes = this.#skip(bytes);
        if (this.#left > 0) return undefined;
        if (this.#state !== "chunk") return this.#finish();
        this.#state = "chunk-size";
      }
      const rest = this.#state === "head" ? this.#readHead(bytes) : this.#readChunkSize(bytes);
      if (!rest) {
        this.#pending = Buffer.from(bytes);
        return undefined;
      }
      bytes = rest;
    }
  }

  #readHead(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const head = bytes.toString("latin1", 0, end);
    this.#status = Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#state = length === undefined ? "chunk-size" : "sized";
    this.#left = Number(length ?? 0);
    return bytes.subarray(end + 2 * CR_LF_BYTES);
  }

  #readChunkSize(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf("\r\n");
    if (end < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", 0, end), 16);
    this.#state = size > 0 ? "chunk" : "last-chunk";
    this.#left = size + CR_LF_BYTES;
    return bytes.subarray(end + CR_LF_BYTES);
  }

  #skip(bytes: Buffer): Buffer {
    const taken = Math.min(this.#left, bytes.length);
    const missing = this.#keptMaxBytes - this.#excerpt.length;
    if (missing > 0) this.#excerpt += bytes.toString("latin1", 0, Math.min(taken, missing));
    this.#left -= taken;
    this.#bodyBytes += taken;
    return bytes.subarray(taken);
  }

  #finish(): LeanResponse {
    const response = { status: this.#status, bodyBytes: this.#bodyBytes, excerpt: this.#excerpt };
    this.#state = "head";
    this.#bodyBytes = 0;
    this.#excerpt = "";
    return response;
  }
}

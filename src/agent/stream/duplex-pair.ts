import { Duplex } from "node:stream";

const HIGH_WATER_BYTES = 16_384;

/** One end of a connection in memory. What is written waits until the other end has room. */
class ConnectionEnd extends Duplex {
  peer: ConnectionEnd | undefined;
  #roomAgain: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: HIGH_WATER_BYTES });
  }

  override _read(): void {
    const write = this.#roomAgain;
    this.#roomAgain = undefined;
    write?.();
  }

  arrive(bytes: Buffer, done: () => void): void {
    if (this.push(bytes)) done();
    else this.#roomAgain = done;
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.peer?.destroyed === false) this.peer.arrive(bytes, done);
    else done();
  }

  override _final(done: () => void): void {
    if (this.peer?.destroyed === false) this.peer.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read();
    const { peer } = this;
    if (peer) setImmediate(() => peer.destroy());
    done(error);
  }
}

/** A connection in memory with back-pressure, half-close and loss of the whole: its two ends. */
export function createDuplexPair(): [Duplex, Duplex] {
  const [near, far] = [new ConnectionEnd(), new ConnectionEnd()];
  near.peer = far;
  far.peer = near;
  return [near, far];
}

import { randomFillSync } from "node:crypto";
import type { Random } from "../lib/random.ts";

/** One call of the generator costs more than the bytes: small requests share one. */
const POOL_BYTES = 4096;

/** Floats need no secrecy; keys do. Bytes come from the kernel's generator through OpenSSL. */
export const systemRandom: Random = { float: () => Math.random(), bytes: pooledBytes() };

/** Each byte of the pool is handed out once, as a copy, and wiped. */
function pooledBytes(): (size: number) => Uint8Array {
  const pool = new Uint8Array(POOL_BYTES);
  let at = POOL_BYTES;
  return (size) => {
    if (size > POOL_BYTES / 8) return randomFillSync(new Uint8Array(size));
    if (at + size > POOL_BYTES) {
      randomFillSync(pool);
      at = 0;
    }
    const bytes = pool.slice(at, at + size);
    pool.fill(0, at, at + size);
    at += size;
    return bytes;
  };
}

import { randomBytes } from "node:crypto";
import type { Random } from "../lib/random.ts";

/** Floats need no secrecy; keys do. Bytes come from the kernel's generator through OpenSSL. */
export const systemRandom: Random = {
  float: () => Math.random(),
  bytes: (size) => new Uint8Array(randomBytes(size)),
};

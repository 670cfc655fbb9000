import { randomBytes } from "node:crypto";
import type { Random } from "../lib/random.ts";

/** Randomness from the kernel: fit for keys. */
export const systemRandom: Random = {
  float: () => randomBytes(4).readUInt32LE(0) / 4_294_967_296,
  bytes: (size) => randomBytes(size),
};

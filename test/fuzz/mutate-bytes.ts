import type { Random } from "../../src/lib/random.ts";

const INPUT_MAX_BYTES = 64 * 1024;
/** Values at which lengths and numbers tend to go wrong. */
const EDGES: readonly number[] = [0, 1, 0x7f, 0x80, 0xc0, 0xfe, 0xff];

/** A whole number below `limit`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random.float() * limit);
}

/** One of a list that is not empty. */
export function pick<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)] as T;
}

type Mutation = (input: Buffer, of: { random: Random; corpus: readonly Buffer[] }) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  (input, { random }) => {
    const output = Buffer.from(input);
    if (output.length > 0) output[below(random, output.length)] = below(random, 256);
    return output;
  },
  (input, { random }) => {
    const output = Buffer.from(input);
    if (output.length > 0) output[below(random, output.length)] = pick(random, EDGES);
    return output;
  },
  (input, { random }) => {
    const output = Buffer.from(input);
    const at = below(random, output.length);
    if (output.length > 0) output[at] = (output[at] ?? 0) ^ (1 << below(random, 8));
    return output;
  },
  (input, { random }) => input.subarray(0, below(random, input.length + 1)),
  (input, { random }) => {
    const at = below(random, input.length + 1);
    return Buffer.concat([input.subarray(0, at), input.subarray(at + 1 + below(random, 8))]);
  },
  (input, { random }) => {
    const at = below(random, input.length + 1);
    const added = Buffer.from(random.bytes(1 + below(random, 8)));
    return Buffer.concat([input.subarray(0, at), added, input.subarray(at)]);
  },
  (input, { random }) => {
    // A part of itself again and again: nesting, long lists, long names.
    const start = below(random, input.length + 1);
    const part = input.subarray(start, start + 1 + below(random, 16));
    const many = Array.from({ length: 2 ** below(random, 11) }, () => part);
    return Buffer.concat([input.subarray(0, start), ...many, input.subarray(start)]);
  },
  (input, { random, corpus }) => {
    const other = pick(random, corpus);
    const cut = below(random, other.length + 1);
    return Buffer.concat([input.subarray(0, below(random, input.length + 1)), other.subarray(cut)]);
  },
];

/** An input near one of the corpus. */
export function mutateBytes(corpus: readonly Buffer[], random: Random): Buffer {
  let input = pick(random, corpus);
  const count = 1 + below(random, 4);
  for (let turn = 0; turn < count; turn++) {
    input = pick(random, MUTATIONS)(input, { random, corpus }).subarray(0, INPUT_MAX_BYTES);
  }
  return Buffer.from(input);
}

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concat, TarError } from "./tar-header.ts";
import { readTar, tarSource } from "./tar-reader.ts";
import { type TarInput, writeTar } from "./tar-writer.ts";

const fields = {
  name: fc
    .string({ minLength: 1, maxLength: 300, unit: "grapheme" })
    .filter((name) => !name.includes("\0") && !name.endsWith("/")),
  type: fc.constant("file" as const),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  body: fc.uint8Array({ maxLength: 2000 }),
};
const entry: fc.Arbitrary<TarInput> = fc.record(fields, { noNullPrototype: true });

async function* inPieces(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) {
    yield await Promise.resolve(bytes.subarray(at, at + sizeBytes));
  }
}

async function readAll(bytes: Uint8Array, pieceBytes: number): Promise<TarInput[]> {
  const entries: TarInput[] = [];
  for await (const { name, type, mode, uid, body } of readTar(
    tarSource(inPieces(bytes, pieceBytes)),
  )) {
    const parts: Uint8Array[] = [];
    for await (const chunk of body) parts.push(chunk.slice());
    entries.push({ name, type, mode, uid, body: concat(parts) });
  }
  return entries;
}

test("what was written is read, however the bytes arrive", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 8 }),
      fc.integer({ min: 1, max: 5000 }),
      async (entries, pieceBytes) => {
        assert.deepEqual(await readAll(concat([...writeTar(entries)]), pieceBytes), entries);
      },
    ),
    { numRuns: 60 },
  );
});

test("damage ends in a TarError or other entries, never in a crash or a hang", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { minLength: 1, maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      async (entries, flips) => {
        const bytes = concat([...writeTar(entries)]);
        for (const [at, value] of flips) bytes[at % bytes.length] = value;
        try {
          await readAll(bytes, 4096);
        } catch (error) {
          assert.ok(error instanceof TarError, String(error));
        }
      },
    ),
    { numRuns: 150 },
  );
});

// Child process of the disk-full test: runs on a disk of 16 MiB that belongs to it.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { isStoreError } from "../errors.ts";
import { openLmdbStore } from "./lmdb-store.ts";

const [disk = ""] = process.argv.slice(2);
const directory = path.join(disk, "store");
const ballast = path.join(disk, "ballast");
const body = Buffer.alloc(20_000, "x");
const clock = new VirtualClock();

writeFileSync(ballast, Buffer.alloc(4 << 20));
let store = await openLmdbStore({ directory, clock });
const acknowledged: string[] = [];
let refusal: unknown;
for (let i = 0; refusal === undefined; i++) {
  assert.ok(i < 1_000, "the disk never filled");
  try {
    await store.create("core/pods", `${i}`, body);
    acknowledged.push(`${i}`);
  } catch (error) {
    refusal = error;
  }
}
if (!isStoreError(refusal, "disk-full")) throw refusal;
await assertComplete();
await assert.rejects(store.create("core/pods", "b", body), (error) => {
  return isStoreError(error, "disk-full");
});
await store[Symbol.asyncDispose]();

store = await openLmdbStore({ directory, clock });
await assertComplete();
rmSync(ballast);
await store.create("core/pods", "c", body);
acknowledged.push("c");
await assertComplete();
await store[Symbol.asyncDispose]();

store = await openLmdbStore({ directory, clock });
await assertComplete();
await store[Symbol.asyncDispose]();
console.log("all is well");

async function assertComplete(): Promise<void> {
  const { items } = await store.list("core/pods");
  assert.deepEqual(
    items.map(({ key }) => key),
    acknowledged.toSorted(),
  );
  for (const item of items) assert.ok(Buffer.from(item.bytes).equals(body));
}

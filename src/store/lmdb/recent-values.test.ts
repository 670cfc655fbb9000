import assert from "node:assert/strict";
import { test } from "node:test";
import type { Version } from "../backend.ts";
import { lasting, RecentValues } from "./recent-values.ts";
import { encodeVersion } from "./version-codec.ts";

const SIZE_BYTES = 100_000;

function versionOf(revision: number, sizeBytes = SIZE_BYTES): Version {
  const bytes = Buffer.alloc(sizeBytes, revision);
  return { resource: "core/pods", key: `a/${revision}`, revision, createRevision: 1, bytes };
}

test("a value is kept as the tree stores it", () => {
  const values = new RecentValues();
  for (const version of [versionOf(2, 10), versionOf(3, 1 << 20)]) {
    const kept = values.keep(version);
    assert.deepEqual(kept.value, encodeVersion(version));
    assert.deepEqual(kept.bytes, version.bytes);
    assert.notEqual(kept.bytes?.buffer, version.bytes?.buffer);
  }
  const removal = values.keep({ ...versionOf(4), bytes: undefined });
  assert.equal(removal.bytes, undefined);
  assert.equal(removal.value.length, 8);
});

test("memory is used again once all versions in it are forgotten, and not before", () => {
  const values = new RecentValues();
  const kept = [2, 3, 4, 5].map((revision) => values.keep(versionOf(revision)));
  const [first, second, third] = kept.map(({ value }) => value.buffer);
  assert.equal(first, second);
  assert.notEqual(second, third);
  values.forget(2);
  const next = values.keep(versionOf(6)).value.buffer;
  assert.notEqual(next, first);
  values.forget(4);
  assert.deepEqual(kept[3]?.bytes, versionOf(5).bytes);
  values.keep(versionOf(7));
  assert.equal(values.keep(versionOf(8)).value.buffer, first);
});

test("what is to last does not change with the memory it came from", () => {
  const values = new RecentValues();
  const [kept, held] = [values.keep(versionOf(2)), lasting(values.keep(versionOf(3)))];
  values.forget(3);
  values.keep(versionOf(4));
  assert.deepEqual(kept.bytes, versionOf(4).bytes);
  assert.deepEqual(held, versionOf(3));
});

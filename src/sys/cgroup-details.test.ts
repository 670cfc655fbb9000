import assert from "node:assert/strict";
import { test } from "node:test";
import { diskTrafficV1, diskTrafficV2 } from "./cgroup-details.ts";

test("v1 tells by operation, with totals", () => {
  const bytes = "8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 12288\n8:0 Total 12288\nTotal 12288\n";
  const number = "8:0 Read 1\n8:0 Write 2\n8:0 Total 3\n259:1 Write 7\nTotal 10\n";
  const [disk, other] = diskTrafficV1({ bytes, number });
  assert.ok(disk && other);
  const { device, ...counts } = disk;
  assert.match(device, /^(\/dev\/\w+)?$/);
  const of = { major: 8, minor: 0, readBytes: 4096, writtenBytes: 8192, reads: 1, writes: 2 };
  assert.deepEqual(counts, of);
  assert.deepEqual([other.major, other.minor, other.writes, other.writtenBytes], [259, 1, 7, 0]);
  assert.deepEqual(diskTrafficV1({ bytes: undefined, number: "Total 0\n" }), []);
});

test("v2 tells a device in a line", () => {
  const text = "253:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=5 dios=6\n7:1 \n";
  const [disk, ...more] = diskTrafficV2(text);
  assert.ok(disk);
  const { major, minor, readBytes, writtenBytes, reads, writes } = disk;
  assert.deepEqual([major, minor], [253, 0]);
  assert.deepEqual([readBytes, writtenBytes, reads, writes], [4096, 8192, 1, 2]);
  assert.deepEqual(more, []);
  assert.deepEqual(diskTrafficV2(""), []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { mirrored, parseLinkCounters } from "../link-counters.ts";
import { busyTicks, parseStall, readNodeUsage } from "./node-usage.ts";

test("a CPU that waits is not busy", () => {
  assert.equal(busyTicks("cpu  1 2 4 1000 1000 8 16 32 1 1\ncpu0 9 9 9\n"), 63);
});

test("traffic is read by interface, and seen from its other end", () => {
  const head = "Inter-|   Receive\n face |bytes\n";
  const links = parseLinkCounters(`${head} veth1: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n    lo:0 0\n`);
  const end = links.get("veth1");
  assert.ok(end);
  assert.equal(end.receivedBytes, 1);
  assert.deepEqual(mirrored(end), {
    receivedBytes: 5,
    receivedPackets: 6,
    receiveErrors: 7,
    receiveDrops: 8,
    sentBytes: 1,
    sentPackets: 2,
    sendErrors: 3,
    sendDrops: 4,
  });
});

test("the use of this machine is within its bounds", () => {
  const usage = readNodeUsage({ name: "n", nowMs: 5, directory: "/", imageDirectory: "/" });
  assert.ok(usage.cpuNanoseconds > 0);
  assert.ok(usage.workingSetBytes > 0 && usage.workingSetBytes <= usage.memoryBytes);
  assert.ok(usage.memoryBytes < usage.memoryCapacityBytes);
  assert.ok(usage.fileSystem.usedBytes < usage.fileSystem.capacityBytes);
  assert.ok(usage.processes > 0);
});

test("stall figures are read, and absent where the kernel has none", () => {
  const some = "some avg10=1.50 avg60=0.25 avg300=0.00 total=7394594";
  const full = "full avg10=0.00 avg60=0.00 avg300=0.00 total=2597891";
  assert.deepEqual(parseStall(`${some}\n${full}\n`), {
    some: { avg10: 1.5, avg60: 0.25, avg300: 0, totalUs: 7_394_594 },
    full: { avg10: 0, avg60: 0, avg300: 0, totalUs: 2_597_891 },
  });
  assert.equal(parseStall(""), undefined);
});

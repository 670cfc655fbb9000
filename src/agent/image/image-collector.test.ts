import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { type ImageCollectionRules, ImageError, type ImageStore } from "./contract.ts";
import { startImageCollection } from "./image-collector.ts";

const RULES: ImageCollectionRules = {
  highPercent: 85,
  lowPercent: 80,
  minimumAgeMs: 120_000,
  maximumAgeMs: 0,
};
const SIZE = 100;

/** A disk of 1000 bytes that holds images of 100 bytes each, and `other` bytes. */
function fakeDisk(names: string[], other = 0) {
  const present = [...names];
  const disk = { present, other, busy: new Set<string>() };
  const images: ImageStore = {
    find: (name) => images.list().find(({ id }) => id === name),
    list: () =>
      present.map((id) => ({
        id,
        references: [],
        sizeBytes: SIZE,
        config: {},
        layerPaths: [],
      })),
    onChange: () => ({ [Symbol.dispose]: () => {} }),
    import: () => Promise.reject(new Error("not in this test")),
    wouldPull: () => false,
    pull: () => Promise.reject(new Error("unused")),
    ensure: () => Promise.reject(new Error("not in this test")),
    remove: async (id) => {
      if (disk.busy.has(id)) throw new ImageError("in-use", `${id} is in use`);
      present.splice(present.indexOf(id), 1);
    },
    sweep: async () => {},
  };
  const fileSystem = () => ({
    capacityBytes: 1000,
    availableBytes: 1000 - disk.other - present.length * SIZE,
  });
  return { disk, images, fileSystem };
}

function collect(
  of: ReturnType<typeof fakeDisk>,
  more: { wanted?: string[]; rules?: Partial<ImageCollectionRules> } = {},
) {
  const clock = new VirtualClock();
  const failures: string[] = [];
  const removed: string[] = [];
  const wanted = more.wanted ?? [];
  const collector = startImageCollection({
    images: of.images,
    fileSystem: of.fileSystem,
    rules: { ...RULES, ...more.rules },
    clock,
    logger: silentLogger,
    wanted: () => wanted,
    onRemoved: (reason) => removed.push(reason),
    say: (reason, message) => failures.push(`${reason}: ${message}`),
  });
  return { clock, collector, failures, removed, wanted };
}

test("below the high threshold nothing is removed", async () => {
  const of = fakeDisk(["a", "b"], 640);
  const { clock, collector } = collect(of);
  await using _ = collector;
  await clock.advance(900_000);
  assert.deepEqual(of.disk.present, ["a", "b"]);
});

test("above it images go down to the low threshold, unused longest first, never used ones", async () => {
  const of = fakeDisk(["used", "a", "b", "c"], 400);
  const { clock, collector, wanted, failures, removed } = collect(of, { wanted: ["used", "a"] });
  await using _ = collector;
  await clock.advance(300_000);
  wanted.pop(); // "a" was in use until now: it goes after "b" and "c"
  of.disk.other = 490;
  await clock.advance(300_000);
  assert.deepEqual(of.disk.present, ["used", "a", "c"]);
  of.disk.other = 700;
  await clock.advance(300_000);
  assert.deepEqual(of.disk.present, ["used"]);
  assert.deepEqual(removed, ["space", "space", "space"]);
  assert.deepEqual(failures, []);
});

test("a young image stays, and what cannot be freed is told from the second time on", async () => {
  const of = fakeDisk([], 850);
  const { clock, collector, failures } = collect(of, { rules: { minimumAgeMs: 700_000 } });
  await using _ = collector;
  of.disk.present.push("young");
  await clock.advance(600_000);
  assert.deepEqual(of.disk.present, ["young"]);
  const message =
    "Failed to garbage collect required amount of images. " +
    "Attempted to free 150 bytes, but only found 0 bytes eligible to free.";
  assert.deepEqual(failures, [
    `FreeDiskSpaceFailed: ${message}`,
    `FreeDiskSpaceFailed: ${message}`,
    `ImageGCFailed: ${message}`,
  ]);
});

test("what is used of a disk counts in whole percents, the rest of one in full", async () => {
  const of = fakeDisk(["a"], 0);
  of.disk.other = 841 - (1000 - of.fileSystem().availableBytes);
  const { clock, collector } = collect(of, { rules: { highPercent: 85, lowPercent: 80 } });
  await using _ = collector;
  await clock.advance(300_000);
  assert.deepEqual(of.disk.present, []);
});

test("an image that another node runs is passed over", async () => {
  const of = fakeDisk(["a", "b"], 660);
  of.disk.busy.add("a");
  const { clock, collector } = collect(of);
  await using _ = collector;
  await clock.advance(300_000);
  assert.deepEqual(of.disk.present, ["a"]);
});

test("a node that is short of disk gives back every image that nobody uses", async () => {
  const of = fakeDisk(["a", "b", "used"]);
  const { clock, collector } = collect(of, { wanted: ["used"] });
  await using _ = collector;
  assert.equal(await collector.collectAll(), 0); // too young
  await clock.advance(120_000);
  assert.equal(await collector.collectAll(), 2);
  assert.deepEqual(of.disk.present, ["used"]);
});

test("an image that was unused for the longest time goes however empty the disk is", async () => {
  const of = fakeDisk(["a", "used"]);
  const { clock, collector } = collect(of, {
    wanted: ["used"],
    rules: { maximumAgeMs: 3_600_000 },
  });
  await using _ = collector;
  await clock.advance(3_600_000);
  assert.deepEqual(of.disk.present, ["a", "used"]);
  await clock.advance(300_000);
  assert.deepEqual(of.disk.present, ["used"]);
});

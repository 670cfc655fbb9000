import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { encodeImage, writeOciArchive } from "../../format/oci/image-writer.ts";
import { concat } from "../../format/tar/tar-header.ts";
import { writeTar } from "../../format/tar/tar-writer.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { systemClock } from "../../sys/clock.ts";
import type { ImageStore } from "./contract.ts";
import { IMAGE_FAILPOINTS, type ImageFailpointName } from "./failpoints.ts";
import type { CrashOrder } from "./image-crash-worker.ts";
import { createImageStore } from "./image-store.ts";
import { type FakeRegistry, startFakeRegistry } from "./registry/registry-fixture.ts";

const root = process.getuid?.() === 0 ? false : "needs root";
const WORKER = fileURLToPath(new URL("./image-crash-worker.js", import.meta.url));
const NAME = "docker.io/library/app:1";
const AT_ONCE = 3;
/** In memory: a process that dies loses nothing of a disk, and to sync one takes long. */
const BASE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Larger than what comes in one piece, and of no repeating pattern. */
const BODIES = ["base", "top"].map((name, at) => {
  return { name, body: seededRandom(at + 1).bytes(300_000) };
});
const layers = BODIES.map(({ name, body }) =>
  concat([...writeTar([{ name, type: "file", body }])]),
);
const input = { layers, config: {}, architecture: "amd64", references: [NAME] };

type Trial = Pick<CrashOrder, "work" | "failpoint" | "visit">;

const first = (failpoint: ImageFailpointName) => ({ failpoint, visit: 1 });
const each = (failpoint: ImageFailpointName) => [first(failpoint), { failpoint, visit: 2 }];
const UNPACKING = (["layer-begun", "layer-unpacked", "layer-kept"] as const).flatMap(each);
const KEEPING = (["layers-durable", "record-written", "record-kept"] as const).map(first);
const TRIALS: Trial[] = [
  ...[first("archive-decompressed"), ...UNPACKING, ...KEEPING].map((one) => {
    return { work: "import" as const, ...one };
  }),
  // What it has downloaded, it unpacks as an import does.
  ...[...each("download-begun"), first("layers-downloaded"), ...KEEPING].map((one) => {
    return { work: "pull" as const, ...one };
  }),
  ...[first("record-removed"), ...each("layer-condemned"), ...each("layer-removed")].map((one) => {
    return { work: "remove" as const, ...one };
  }),
];

test("wherever a process dies, no half image is used, and the disk comes back", {
  skip: root,
}, async () => {
  const tried = new Set(TRIALS.map(({ failpoint }) => failpoint));
  assert.deepEqual([...tried].sort(), [...IMAGE_FAILPOINTS].sort());
  await using registry = await startFakeRegistry();
  registry.push("app:1", encodeImage({ ...input, gzip: true }));
  const waiting = TRIALS.entries();
  const lane = async () => {
    for (const [at, trial] of waiting) await tryOne(trial, { registry, again: at % 2 === 0 });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
});

async function tryOne(
  trial: Trial,
  { registry, again }: { registry: FakeRegistry; again: boolean },
): Promise<void> {
  const directory = mkdtempSync(path.join(BASE, "nephos-image-crash-"));
  try {
    const archive = path.join(directory, "app.tar.gz");
    writeFileSync(archive, gzipSync(concat([...writeOciArchive(input)])));
    const place = {
      directory: path.join(directory, "store"),
      registriesFile: path.join(directory, "registries.yaml"),
    };
    const open = () =>
      createImageStore({
        ...place,
        clock: systemClock,
        random: seededRandom(1),
        logger: silentLogger,
      });
    const name = trial.work === "pull" ? `${registry.host}/app:1` : NAME;
    if (trial.work === "remove") await (await open()).import(archive);
    const operand = trial.work === "import" ? archive : name;
    await die({ ...place, ...trial, operand });
    const store = await open();
    const where = JSON.stringify(trial);
    assertWhole(store, place.directory, where);
    const isThere = store.find(name) !== undefined;
    assert.equal(isThere, trial.failpoint === "record-kept", where);
    if (again) {
      if (trial.work === "pull") await store.pull(name);
      else await store.import(archive);
      assert.equal(assertWhole(store, place.directory, where), 1, where);
    }
    if (again || isThere) await store.remove(name);
    await store.sweep({ abandonedAfterMs: -1_000 });
    for (const folder of ["layers", "images", "tmp", "downloads"]) {
      assert.deepEqual(readdirSync(path.join(place.directory, folder)), [], `${where}: ${folder}`);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Nothing but images that are complete; returns how many. */
function assertWhole(store: ImageStore, directory: string, where: string): number {
  const images = store.list();
  for (const { layerPaths } of images) {
    assert.equal(layerPaths.length, BODIES.length, where);
    for (const [at, { name, body }] of BODIES.entries()) {
      const found = readFileSync(path.join(layerPaths[at] ?? "", name));
      assert.ok(found.equals(body), `${where}: ${name}`);
    }
  }
  const used = images.length * BODIES.length;
  assert.equal(readdirSync(path.join(directory, "layers")).length, used, where);
  assert.deepEqual(readdirSync(path.join(directory, "tmp")), [], where);
  return images.length;
}

async function die(order: CrashOrder): Promise<void> {
  const stdio = ["ignore", "ignore", "pipe"] as const;
  const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], { stdio: [...stdio] });
  let words = "";
  child.stderr?.on("data", (bytes: Buffer) => (words += bytes.toString()));
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  assert.equal(signal, "SIGKILL", `did not come to ${JSON.stringify(order)}: ${words}`);
}

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { encodeImage, type ImageBlobs } from "../../../format/oci/image-writer.ts";
import { concat } from "../../../format/tar/tar-header.ts";
import { writeTar } from "../../../format/tar/tar-writer.ts";
import { silentLogger } from "../../../lib/logger.ts";
import { seededRandom } from "../../../lib/random.ts";
import { systemClock } from "../../../sys/clock.ts";
import { mount, unmount } from "../../../sys/mount.ts";
import type { ImageStore } from "../contract.ts";
import { createImageStore } from "../image-store.ts";
import { type FakeRegistry, startFakeRegistry } from "./registry-fixture.ts";

const root = process.getuid?.() === 0 ? false : "needs root";
const STORE = new URL("../image-store.js", import.meta.url).href;

/** Of two layers of many files each. */
function imageOf(files: number): ImageBlobs {
  const layers = ["a", "b"].map((layer) => {
    const body = new TextEncoder().encode(layer.repeat(3_000));
    const entries = Array.from({ length: files }, (_, at) => `${layer}/${at}`).map(
      (name) => ({ name, type: "file", body }) as const,
    );
    return concat([...writeTar(entries)]);
  });
  return encodeImage({ layers, config: {}, architecture: "amd64", references: [] });
}

interface Setup {
  directory: string;
  registry: FakeRegistry;
  /** As a process that starts does. */
  open(): Promise<ImageStore>;
  in(folder: string): string[];
}

async function withRegistry(run: (setup: Setup) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-trouble-"));
  await using registry = await startFakeRegistry();
  const open = () =>
    createImageStore({
      directory: path.join(directory, "store"),
      registriesFile: path.join(directory, "registries.yaml"),
      pullRules: { atOnceMax: 2, rate: { perSecond: 0, burst: 0 } },
      clock: systemClock,
      random: seededRandom(1),
      logger: silentLogger,
    });
  try {
    const inside = (folder: string) => readdirSync(path.join(directory, "store", folder));
    await run({ directory, registry, open, in: inside });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A process that pulls `name`, and is killed when `moment` has come. */
async function killedPull({ directory }: Setup, name: string, moment: Promise<unknown>) {
  const script = `
    const { createImageStore } = await import(${JSON.stringify(STORE)});
    const { systemClock } = await import(new URL("../../sys/clock.js", ${JSON.stringify(STORE)}));
    const { systemRandom } = await import(new URL("../../sys/random.js", ${JSON.stringify(STORE)}));
    const say = () => {};
    const store = await createImageStore({
      directory: ${JSON.stringify(path.join(directory, "store"))},
      registriesFile: "/none", clock: systemClock, random: systemRandom,
      logger: { debug: say, info: say, warn: say, error: say },
    });
    await store.pull(${JSON.stringify(name)});`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(child, "exit");
  await Promise.race([moment, ended]);
  child.kill("SIGKILL");
  await ended;
}

test(
  "a process that is killed while it downloads or unpacks leaves what the next one uses",
  {
    skip: root,
  },
  () =>
    withRegistry(async (setup) => {
      const { directory, registry } = setup;
      const image = imageOf(200);
      const layer = [...image.blobs.keys()][0] ?? "";
      registry.push("app:1", image);
      const name = `${registry.host}/app:1`;
      await setup.open();

      registry.mood.held = layer;
      const downloads = path.join(directory, "store/downloads");
      const half = (image.blobs.get(layer)?.length ?? 0) / 2;
      const halfThere = new Promise((resolve) => {
        const watcher = watch(downloads, () => {
          const file = path.join(downloads, layer.slice(7));
          if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < half) return;
          watcher.close();
          resolve(undefined);
        });
      });
      await killedPull(setup, name, halfThere);
      delete registry.mood.held;
      assert.ok(setup.in("downloads").includes(layer.slice(7)));
      assert.deepEqual((await setup.open()).list(), []);

      registry.requests.length = 0;
      const unpacking = new Promise((resolve) => {
        const watcher = watch(path.join(directory, "store/tmp"), () => {
          watcher.close();
          resolve(undefined);
        });
      });
      await killedPull(setup, name, unpacking);
      assert.ok(registry.requests.includes(`GET /v2/app/blobs/${layer} bytes=${half}-`));

      const store = await setup.open();
      assert.deepEqual(setup.in("tmp"), []);
      const { layerPaths } = await store.pull(name);
      for (const [at, letter] of ["a", "b"].entries()) {
        assert.equal(readdirSync(path.join(layerPaths[at] ?? "", letter)).length, 200);
      }
      assert.deepEqual([setup.in("tmp"), setup.in("downloads")], [[], []]);
    }),
);

test("two pods that want an image at once get one image", { skip: root }, () =>
  withRegistry(async (setup) => {
    const { registry } = setup;
    const image = imageOf(20);
    registry.push("app:1", image);
    const store = await setup.open();
    const pulls = [1, 2].map(() => store.ensure(`${registry.host}/app:1`, "Always"));
    const [one, two] = (await Promise.allSettled(pulls)).map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason as Error;
      return outcome.value;
    });
    assert.equal(one?.id, two?.id);
    assert.equal(store.list().length, 1);
    assert.deepEqual([setup.in("tmp"), setup.in("downloads")], [[], []]);
    assert.equal(setup.in("layers").length, 2);
  }),
);

test(
  "a disk that is full in the middle of a pull is told, and what was begun is given back",
  {
    skip: root,
  },
  () =>
    withRegistry(async (setup) => {
      const { directory, registry } = setup;
      const disk = path.join(directory, "store");
      mkdirSync(disk);
      registry.push("small:1", imageOf(5));
      registry.push("app:1", imageOf(300));
      // For the downloads of the large image, but not for its files beside them.
      for (const size of ["1m", "3m"]) {
        mount({ source: "tmpfs", target: disk, type: "tmpfs", data: `size=${size}` });
        try {
          const store = await setup.open();
          await assert.rejects(store.pull(`${registry.host}/app:1`), { code: "disk-full" }, size);
          assert.deepEqual([setup.in("tmp"), setup.in("layers"), store.list()], [[], [], []]);
          await store.pull(`${registry.host}/small:1`);
        } finally {
          unmount(disk);
        }
      }
    }),
);

test("a manifest of the first schema is refused by its name", { skip: root }, () =>
  withRegistry(async (setup) => {
    const { registry } = setup;
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 1, name: "old", fsLayers: [] }));
    const image = imageOf(1);
    const type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    registry.push("old:1", { ...image, manifest: { ...image.manifest, mediaType: type } });
    registry.mood.forged = { digest: image.manifest.digest, bytes };
    const store = await setup.open();
    await assert.rejects(store.pull(`${registry.host}/old:1`), {
      code: "pull-failed",
      message: /manifest\.v1\+prettyjws|schema/,
    });
  }),
);

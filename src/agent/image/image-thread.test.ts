import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { encodeImage, writeOciArchive } from "../../format/oci/image-writer.ts";
import { keyringEntry } from "../../format/oci/registry-credentials.ts";
import { concat } from "../../format/tar/tar-header.ts";
import { writeTar } from "../../format/tar/tar-writer.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { systemClock } from "../../sys/clock.ts";
import type { ImageStore } from "./contract.ts";
import { createImageStore } from "./image-store.ts";
import { createImageThread, type ImageThread } from "./image-thread.ts";
import { startFakeRegistry, USER } from "./registry/registry-fixture.ts";

const root = process.getuid?.() === 0 ? false : "needs root";
const body = new TextEncoder().encode("hello");
const layers = [concat([...writeTar([{ name: "deep/file", type: "file", body }])])];
const input = { layers, config: {}, architecture: "amd64", references: ["docker.io/library/a:1"] };

interface Setup {
  directory: string;
  thread: ImageThread;
  store: ImageStore;
  clock: VirtualClock;
}

async function withThread(run: (setup: Setup) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-thread-"));
  const registriesFile = path.join(directory, "registries.yaml");
  const place = { directory: path.join(directory, "store"), registriesFile };
  const clock = new VirtualClock();
  try {
    await using thread = createImageThread(place, { clock, logger: silentLogger });
    const store = await createImageStore({
      ...place,
      engine: thread,
      clock: systemClock,
      random: seededRandom(1),
      logger: silentLogger,
    });
    await run({ directory, thread, store, clock });
    assert.deepEqual(readdirSync(path.join(place.directory, "tmp")), []);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("images are imported and pulled in a thread, and found at once", { skip: root }, () =>
  withThread(async ({ directory, store, clock }) => {
    const archive = path.join(directory, "archive.tar");
    writeFileSync(archive, concat([...writeOciArchive(input)]));
    const [imported] = await store.import(archive);
    const file = path.join(imported?.layerPaths[0] ?? "", "deep/file");
    assert.equal(readFileSync(file, "utf8"), "hello");
    await assert.rejects(store.import(path.join(directory, "none")), {
      name: "ImageError",
      code: "invalid-archive",
    });
    // It ends when it has had nothing to do for a while, and starts again.
    await clock.advance(60_000);
    await using registry = await startFakeRegistry();
    registry.mood.auth = "token";
    registry.push("app:1", encodeImage({ ...input, layers: [...layers, ...layers], gzip: true }));
    const keyring = [keyringEntry(registry.host, USER)];
    const pulled = await store.ensure(`${registry.host}/app:1`, "Always", { keyring });
    assert.equal(pulled.layerPaths.length, 2);
    assert.equal(store.find(`${registry.host}/app:1`)?.id, pulled.id);
    await assert.rejects(store.pull(`${registry.host}/app:1`), { code: "pull-failed" });
  }),
);

test("what is given up ends at once, also when the thread goes", { skip: root }, () =>
  withThread(async ({ thread, store }) => {
    // What is not read would keep a connection open that its client has closed.
    const silent = createServer((socket) => void socket.on("error", () => {}).resume());
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    try {
      const name = `127.0.0.1:${(silent.address() as AddressInfo).port}/app:1`;
      const stop = new AbortController();
      const closed = new Promise((resolve) => {
        silent.once("connection", (socket) => void socket.once("close", resolve));
      });
      const connected = once(silent, "connection");
      const stopped = store.pull(name, { signal: stop.signal });
      await connected;
      stop.abort();
      await assert.rejects(stopped, { name: "AbortError" });
      await closed;
      const again = once(silent, "connection");
      const lost = store.pull(name);
      await again;
      await thread[Symbol.asyncDispose]();
      await assert.rejects(lost, { code: "pull-failed", message: /has ended: it was stopped/ });
    } finally {
      silent.close();
    }
  }),
);

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { encodeImage, type ImageBlobs, writeOciArchive } from "../../../format/oci/image-writer.ts";
import { keyringEntry } from "../../../format/oci/registry-credentials.ts";
import { concat } from "../../../format/tar/tar-header.ts";
import { type TarInput, writeTar } from "../../../format/tar/tar-writer.ts";
import type { Clock } from "../../../lib/clock.ts";
import { silentLogger } from "../../../lib/logger.ts";
import { seededRandom } from "../../../lib/random.ts";
import { systemClock } from "../../../sys/clock.ts";
import type { ImageStore } from "../contract.ts";
import { createImageStore } from "../image-store.ts";
import { type FakeRegistry, startFakeRegistry, USER } from "./registry-fixture.ts";

const root = process.getuid?.() === 0 ? false : "needs root";
const text = (value: string) => new TextEncoder().encode(value);

function imageOf(...names: string[]): ImageBlobs {
  const layers = names.map((name) =>
    concat([...writeTar([{ name, type: "file", body: text(name.repeat(2_000)) }])]),
  );
  const config = { Cmd: ["/app"] };
  return encodeImage({ layers, config, architecture: "amd64", references: [], gzip: true });
}

/** Waits of retries take no time. */
const hastyClock: Clock = {
  ...systemClock,
  setTimer: (_delayMs, fire) => systemClock.setTimer(0, fire),
};

const STORE = ["downloads", "images", "layers", "lock", "tmp"];

interface Setup {
  directory: string;
  registry: FakeRegistry;
  store: ImageStore;
  configure(text: string): void;
}

async function withRegistry(run: (setup: Setup) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-registry-"));
  await using registry = await startFakeRegistry();
  try {
    const registriesFile = path.join(directory, "registries.yaml");
    const store = await createImageStore({
      directory: path.join(directory, "store"),
      registriesFile,
      pullRules: { atOnceMax: 2, rate: { perSecond: 0, burst: 0 } },
      clock: hastyClock,
      random: seededRandom(1),
      logger: silentLogger,
    });
    const configure = (yaml: string) => writeFileSync(registriesFile, yaml);
    await run({ directory, registry, store, configure });
    assert.deepEqual(readdirSync(path.join(directory, "store/tmp")), []);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const codeOf = (error: unknown) => (error as { code?: string }).code;
/** A clock's reading that never stands still, by a second each time. */
const counter =
  (ms = 0) =>
  () =>
    (ms += 1_000);
const downloads = ({ directory }: Setup) => readdirSync(path.join(directory, "store/downloads"));
const content = (image: { layerPaths: readonly string[] }, layer: number, file: string) =>
  readFileSync(path.join(image.layerPaths[layer] ?? "", file), "utf8");

test(
  "an image is pulled, found by name and digest, and pulled again when its tag moves",
  {
    skip: root,
  },
  () =>
    withRegistry(async (setup) => {
      const { registry, store } = setup;
      const name = `${registry.host}/app:1`;
      const first = imageOf("base", "one");
      registry.push("app:1", first);
      assert.ok(store.wouldPull(name, "IfNotPresent"));
      const image = await store.ensure(name, "IfNotPresent");
      assert.equal(content(image, 1, "one"), "one".repeat(2_000));
      assert.deepEqual(image.references, [name]);
      assert.deepEqual(image.repoDigests, [`${registry.host}/app@${first.manifest.digest}`]);
      assert.equal(store.find(image.repoDigests?.[0] ?? "")?.id, image.id);
      assert.deepEqual(downloads(setup), []);

      const asked = registry.requests.length;
      assert.equal((await store.ensure(name, "IfNotPresent")).id, image.id);
      assert.equal(registry.requests.length, asked);
      assert.equal((await store.ensure(name, "Always")).id, image.id);
      assert.deepEqual(registry.requests.slice(asked), ["HEAD /v2/app/manifests/1"]);

      const second = imageOf("base", "two");
      registry.push("app:1", second);
      const moved = await store.ensure(name, "Always");
      assert.notEqual(moved.id, image.id);
      assert.deepEqual(store.find(image.id)?.references, []);
      const blobs = registry.requests.filter((one) => one.includes("/blobs/")).length;
      // Two configurations and three layers: the base was there already.
      assert.equal(blobs, 5);
    }),
);

test("a digest names one image, an index the one of this machine", { skip: root }, () =>
  withRegistry(async ({ registry, store }) => {
    const mine = imageOf("mine");
    const digest = registry.pushIndex("app:1", { s390x: imageOf("other"), amd64: mine });
    const image = await store.pull(`${registry.host}/app@${digest}`);
    assert.equal(content(image, 0, "mine"), "mine".repeat(2_000));
    assert.deepEqual(image.references, []);
    assert.deepEqual(image.repoDigests, [`${registry.host}/app@${digest}`]);
    const exact = await store.ensure(`${registry.host}/app@${mine.manifest.digest}`, "Never");
    assert.equal(exact.id, image.id);
    registry.pushIndex("app:2", { s390x: imageOf("other") });
    await assert.rejects(store.pull(`${registry.host}/app:2`), /no image for linux/);
  }),
);

test("an imported name stays until it is pulled by hand", { skip: root }, () =>
  withRegistry(async ({ directory, registry, store }) => {
    const name = `${registry.host}/app:1`;
    registry.push("app:1", imageOf("pulled"));
    const layout = path.join(directory, "layout");
    const layers = [concat([...writeTar([{ name: "imported", type: "file", body: text("a") }])])];
    const input = { layers, config: {}, architecture: "amd64", references: [name] };
    writeFileSync(layout, concat([...writeOciArchive(input)]));
    const [imported] = await store.import(layout);
    assert.equal((await store.ensure(name, "Always")).id, imported?.id);
    assert.deepEqual(registry.requests, []);
    const pulled = await store.pull(name);
    assert.notEqual(pulled.id, imported?.id);
    assert.equal((await store.ensure(name, "Always")).id, pulled.id);
    assert.equal(registry.requests.at(-1), "HEAD /v2/app/manifests/1");
  }),
);

test(
  "an image that is imported while it is asked for ends the wait for its registry",
  {
    skip: root,
  },
  () =>
    withRegistry(async ({ directory, store }) => {
      const silent = createServer((socket) => void socket.on("error", () => {})).listen(
        0,
        "127.0.0.1",
      );
      await once(silent, "listening");
      const { port } = silent.address() as AddressInfo;
      try {
        const name = `127.0.0.1:${port}/app:1`;
        const asked = once(silent, "connection");
        const wanted = store.ensure(name, "Always");
        // Waits for the first one, in the order they came.
        const stop = new AbortController();
        const stopped = store.pull(`127.0.0.1:${port}/third:1`, { signal: stop.signal });
        const also = store.pull(`127.0.0.1:${port}/other:1`, { signal: stop.signal });
        await asked;
        const archive = path.join(directory, "archive.tar");
        const layers = [concat([...writeTar([{ name: "a", type: "file", body: text("a") }])])];
        const input = { layers, config: {}, architecture: "amd64", references: [name] };
        writeFileSync(archive, concat([...writeOciArchive(input)]));
        const [imported] = await store.import(archive);
        assert.equal((await wanted).id, imported?.id);
        stop.abort();
        await assert.rejects(stopped, { name: "AbortError" });
        await assert.rejects(also, { name: "AbortError" });
      } finally {
        silent.close();
      }
    }),
);

test("who waits for a registry that is not reached is told with the first", { skip: root }, () =>
  withRegistry(async ({ directory, registry }) => {
    const clock: Clock = { ...hastyClock, monotonicMs: counter() };
    const store = await createImageStore({
      directory: path.join(directory, "store"),
      registriesFile: path.join(directory, "registries.yaml"),
      pullRules: { atOnceMax: 1, rate: { perSecond: 1, burst: 1 } },
      clock,
      random: seededRandom(1),
      logger: silentLogger,
    });
    registry.push("app:1", imageOf("base"));
    const absent = ["127.0.0.1:1/one:1", "127.0.0.1:1/two:1"].map((name) => store.pull(name));
    const outcomes = await Promise.allSettled([...absent, store.pull(`${registry.host}/app:1`)]);
    const codes = outcomes.map((one) => (one.status === "rejected" ? codeOf(one.reason) : "here"));
    // The second one took nothing of the rate: the third was its turn.
    assert.deepEqual(codes, ["unreached", "unreached", "here"]);
  }),
);

test("passwords and tokens open what they are for, and nothing else", { skip: root }, () =>
  withRegistry(async ({ registry, store }) => {
    const { host, mood } = registry;
    const name = `${host}/app:1`;
    registry.push("app:1", imageOf("private"));
    const keyring = [keyringEntry(host, USER)];
    const wrong = [keyringEntry(host, { ...USER, password: "wrong" })];
    for (const auth of ["basic", "token"] as const) {
      mood.auth = auth;
      await assert.rejects(store.pull(name), { code: "pull-failed" });
      await assert.rejects(store.pull(name, { keyring: wrong }), /credentials that were given/);
      const others = [keyringEntry("elsewhere.example", USER)];
      await assert.rejects(store.pull(name, { keyring: others }), { code: "pull-failed" });
      await store.pull(name, { keyring: [...wrong, ...keyring] });
    }
    await store.remove(name);
    mood.auth = "token";
    await store.pull(name, { keyring });
    assert.ok(!registry.requests.some((one) => one.includes("secret")));
  }),
);

test("a redirected download carries no proof of who asks", { skip: root }, () =>
  withRegistry(async ({ registry, store }) => {
    await using storage = await startFakeRegistry();
    const image = imageOf("far");
    registry.push("app:1", image);
    storage.push("app:1", image);
    registry.mood.auth = "basic";
    registry.mood.redirectTo = `http://${storage.host}`;
    await store.pull(`${registry.host}/app:1`, { keyring: [keyringEntry(registry.host, USER)] });
    assert.ok(storage.requests.length > 0);
    assert.ok(storage.proofs.every((proof) => proof === undefined));
  }),
);

test("a broken download goes on where it broke, also in a later pull", { skip: root }, () =>
  withRegistry(async (setup) => {
    const { registry, store } = setup;
    const image = imageOf("big");
    const layer = [...image.blobs.keys()][0] ?? "";
    const size = image.blobs.get(layer)?.length ?? 0;
    registry.push("app:1", image);
    const name = `${registry.host}/app:1`;
    const ranges = () => registry.requests.filter((one) => one.includes(layer));
    registry.mood.breaks = { digest: layer, times: 1 };
    const { id } = await store.pull(name);
    const half = Math.ceil(size / 2);
    assert.deepEqual(ranges(), [
      `GET /v2/app/blobs/${layer}`,
      `GET /v2/app/blobs/${layer} bytes=${half}-`,
    ]);

    await store.remove(id);
    registry.mood.breaks = { digest: layer, times: 1, then: 503 };
    await assert.rejects(store.pull(name), /answers 503/);
    assert.deepEqual(downloads(setup), [layer.slice(7)]);
    delete registry.mood.status;
    registry.requests.length = 0;
    assert.equal((await store.pull(name)).id, id);
    assert.deepEqual(ranges(), [`GET /v2/app/blobs/${layer} bytes=${half}-`]);
    assert.deepEqual(downloads(setup), []);
  }),
);

test("forged bytes are refused, whatever they are", { skip: root }, () =>
  withRegistry(async (setup) => {
    const { registry, store } = setup;
    const image = imageOf("true");
    registry.push("app:1", image);
    for (const [digest, bytes] of image.blobs) {
      const flipped = Uint8Array.from(bytes, (byte, at) => (at === 10 ? byte ^ 1 : byte));
      registry.mood.forged = { digest, bytes: flipped };
      await assert.rejects(store.pull(`${registry.host}/app@${image.manifest.digest}`), digest);
      registry.mood.forged = { digest, bytes: concat([bytes, text("more")]) };
      await assert.rejects(store.pull(`${registry.host}/app@${image.manifest.digest}`), digest);
    }
    assert.deepEqual(store.list(), []);
  }),
);

test(
  "CVE-2019-11246: what a registry sends stays inside its layer, or is refused",
  {
    skip: root,
  },
  () =>
    withRegistry(async (setup) => {
      const { directory, registry, store } = setup;
      const name = `${registry.host}/app:1`;
      const hostile: TarInput[][] = [
        [{ name: "../../../../escaped", type: "file", body: text("x") }],
        [
          { name: "link", type: "symlink", linkName: directory },
          { name: "link/escaped", type: "file", body: text("x") },
        ],
        [{ name: "escaped", type: "hardlink", linkName: "../../../registries.yaml" }],
        [{ name: "..", type: "directory", mode: 0o777 }],
        [{ name: ".wh...", type: "file", body: text("") }],
      ];
      for (const entries of hostile) {
        const layers = [concat([...writeTar(entries)])];
        const input = { layers, config: {}, architecture: "amd64", references: [] };
        registry.push("app:1", encodeImage(input));
        const outcome = await store.pull(name).then(
          () => "inside",
          (error: unknown) => (error as { code?: string }).code,
        );
        assert.ok(["inside", "invalid-archive"].includes(outcome ?? ""), `${outcome}`);
        assert.deepEqual(readdirSync(directory), ["store"]);
        assert.deepEqual(readdirSync(path.join(directory, "store")).toSorted(), STORE);
        assert.deepEqual(downloads(setup), []);
      }
    }),
);

test(
  "mirrors are asked first, by their own names, and never see others' credentials",
  {
    skip: root,
  },
  () =>
    withRegistry(async ({ registry, store, configure }) => {
      await using mirror = await startFakeRegistry();
      registry.push("app:1", imageOf("origin"));
      mirror.push("copy-app:1", imageOf("mirrored"));
      configure(
        `mirrors:\n  "${registry.host}":\n    endpoint: ["http://${mirror.host}"]\n` +
          `    rewrite: { "^(.*)$": "copy-$1" }\n`,
      );
      const name = `${registry.host}/app:1`;
      mirror.mood.auth = "basic";
      const keyring = [keyringEntry(registry.host, USER)];
      const direct = await store.pull(name, { keyring });
      assert.equal(content(direct, 0, "origin").length, 12_000);
      assert.ok(mirror.proofs.every((proof) => proof === undefined));
      mirror.mood.auth = "none";
      const mirrored = await store.pull(name, { keyring });
      assert.deepEqual(mirrored.references, [name]);
      assert.equal(content(mirrored, 0, "mirrored").length, 16_000);
      mirror.mood.auth = "basic";
      configure(
        `mirrors:\n  "*":\n    endpoint: ["http://${mirror.host}"]\n` +
          `configs:\n  "${mirror.host}":\n    auth: { username: me, password: secret }\n`,
      );
      mirror.push("app:1", imageOf("logged-in"));
      const known = await store.pull(name, { keyring });
      assert.equal(content(known, 0, "logged-in").length, 18_000);
    }),
);

test("a refusal names the registry and what was asked of it", { skip: root }, () =>
  withRegistry(async ({ registry, store, configure }) => {
    const { host, mood } = registry;
    const refusal = async (name: string) => {
      try {
        await store.pull(name);
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        return `${code}: ${message}`;
      }
      return "pulled";
    };
    assert.equal(
      await refusal(`${host}/app:2`),
      `not-found: registry ${host} answers 404 Not Found for manifest 2 of app`,
    );
    mood.status = 503;
    assert.match(await refusal(`${host}/app:2`), /^pull-failed: .*503 Service Unavailable/);
    assert.match(
      await refusal("127.0.0.1:1/app:2"),
      /^unreached: .*127.0.0.1:1 was not reached: .*ECONNREFUSED.*nephos image import/,
    );
    assert.match(await refusal("UPPER"), /^invalid-reference: /);
    configure("mirrors: { a: { endpoint: [ftp://x] } }");
    assert.match(await refusal(`${host}/app:2`), /mirrors.a.endpoint\[0\] must be a URL/);
    configure("mirors: {}");
    assert.match(await refusal(`${host}/app:2`), /mirors is unknown/);
  }),
);

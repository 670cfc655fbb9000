import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { writeOciArchive } from "../../format/oci/image-writer.ts";
import { concat } from "../../format/tar/tar-header.ts";
import { type TarInput, writeTar } from "../../format/tar/tar-writer.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { systemClock } from "../../sys/clock.ts";
import { getAttribute } from "../../sys/file.ts";
import type { ImageStore } from "./contract.ts";
import { createImageStore } from "./image-store.ts";

const root = process.getuid?.() === 0 ? false : "needs root";
const text = (value: string) => new TextEncoder().encode(value);
const layer = (entries: TarInput[]) => concat([...writeTar(entries)]);
const file = (name: string, body = name): TarInput => ({ name, type: "file", body: text(body) });

interface Setup extends Disposable {
  directory: string;
  open(isInUse?: (id: string) => boolean): Promise<ImageStore>;
  archive(
    name: string,
    layers: Uint8Array[],
    options?: { reference?: string; gzip?: boolean },
  ): string;
}

function setUp(): Setup {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-images-"));
  return {
    directory,
    open: (isInUse) =>
      createImageStore({
        directory: path.join(directory, "store"),
        registriesFile: path.join(directory, "registries.yaml"),
        clock: systemClock,
        random: seededRandom(1),
        logger: silentLogger,
        ...(isInUse && { isInUse }),
      }),
    archive(name, layers, { reference = "docker.io/library/app:1", gzip = false } = {}) {
      const target = path.join(directory, name);
      const config = { Cmd: ["/app"], Env: ["A=b"], User: "www", StopSignal: "SIGQUIT" };
      const input = { layers, config, architecture: "amd64", references: [reference], gzip };
      writeFileSync(target, concat([...writeOciArchive(input)]));
      return target;
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}

test("an imported image is found by its names and id, also after a restart", {
  skip: root,
}, async () => {
  using setup = setUp();
  const store = await setup.open();
  const archive = setup.archive("a.tar", [layer([file("app")])], { gzip: true });
  const [image] = await store.import(archive);
  assert.ok(image);
  assert.deepEqual(image.references, ["docker.io/library/app:1"]);
  assert.deepEqual(image.config, {
    command: ["/app"],
    environment: ["A=b"],
    user: "www",
    stopSignal: "SIGQUIT",
  });
  assert.equal(readFileSync(path.join(image.layerPaths[0] ?? "", "app"), "utf8"), "app");
  assert.equal(store.find("app:1")?.id, image.id);
  assert.equal(store.find("app"), undefined);
  assert.deepEqual(await store.import(archive, { name: "other" }), [
    { ...image, references: [...image.references, "docker.io/library/other:latest"] },
  ]);
  const again = await setup.open();
  assert.equal(again.find(image.id)?.id, image.id);
  assert.equal(again.find("other:latest")?.id, image.id);
  assert.equal((await again.ensure("app:1", "Always")).id, image.id);
  await assert.rejects(again.ensure("absent", "Never"), { code: "not-found" });
  const absent = again.ensure("127.0.0.1:1/absent", "IfNotPresent");
  await assert.rejects(absent, { code: "unreached" });
  await assert.rejects(again.ensure("UPPER", "IfNotPresent"), { code: "invalid-reference" });
});

test("layers are shared, and go with the last image that uses them", { skip: root }, async () => {
  using setup = setUp();
  const base = layer([file("base")]);
  let used = true;
  const store = await setup.open(() => used);
  await store.import(setup.archive("a.tar", [base, layer([file("a")])]));
  await store.import(
    setup.archive("b.tar", [base, layer([file("b")])], { reference: "localhost:5000/b:2" }),
  );
  const layers = () => readdirSync(path.join(setup.directory, "store/layers")).length;
  assert.equal(layers(), 3);
  await assert.rejects(store.remove("app:1"), { code: "in-use" });
  used = false;
  await store.remove("app:1");
  assert.equal(layers(), 2);
  await store.remove("localhost:5000/b:2");
  assert.equal(layers(), 0);
  await assert.rejects(store.remove("app:1"), { code: "not-found" });
});

test("a name moves to the image that was imported last", { skip: root }, async () => {
  using setup = setUp();
  const store = await setup.open();
  const [first] = await store.import(setup.archive("a.tar", [layer([file("a")])]));
  const [second] = await store.import(setup.archive("b.tar", [layer([file("b")])]));
  assert.equal(store.find("app:1")?.id, second?.id);
  assert.deepEqual(store.find(first?.id ?? "")?.references, []);
});

test("deleted files, opaque directories, links, owners and modes are kept", {
  skip: root,
}, async () => {
  using setup = setUp();
  const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
  const name = "d/".padEnd(160, "long");
  const entries: TarInput[] = [
    { name: "d/", type: "directory", mode: 0o1777 },
    { ...file("d/su"), mode: 0o4755, uid: 7, gid: 8, modifiedS: 1000 },
    { ...file("d/cap"), attributes: new Map([["security.capability", capability]]) },
    { name: "d/hard", type: "hardlink", linkName: "d/su" },
    { name: "d/soft", type: "symlink", linkName: "/etc/passwd" },
    { name: "d/.wh.gone", type: "file" },
    { name: "d/.wh..wh..opq", type: "file" },
    file(name),
    file("missing/parents/file"),
  ];
  const store = await setup.open();
  const [image] = await store.import(setup.archive("a.tar", [layer(entries)]));
  const at = (inner: string) => path.join(image?.layerPaths[0] ?? "", inner);
  const su = lstatSync(at("d/su"));
  assert.deepEqual([su.mode & 0o7777, su.uid, su.gid, su.mtimeMs], [0o4755, 7, 8, 1_000_000]);
  assert.equal(lstatSync(at("d/hard")).ino, su.ino);
  assert.ok(lstatSync(at("d/soft")).isSymbolicLink());
  assert.equal(lstatSync(at("d")).mode & 0o7777, 0o1777);
  const gone = lstatSync(at("d/gone"));
  assert.ok(gone.isCharacterDevice() && gone.rdev === 0);
  assert.equal(getAttribute(at("d"), "trusted.overlay.opaque")?.toString(), "y");
  assert.deepEqual(getAttribute(at("d/cap"), "security.capability"), capability);
  assert.ok(existsSync(at(name)) && existsSync(at("missing/parents/file")));
});

test("hostile layers are refused or stay inside, and leave nothing", { skip: root }, async () => {
  using setup = setUp();
  const outside = path.join(setup.directory, "outside");
  mkdirSync(outside);
  const store = await setup.open();
  const link: TarInput = { name: "link", type: "symlink", linkName: outside };
  const climb: TarInput = { name: "up", type: "symlink", linkName: "../../../../../.." };
  const refused: Record<string, TarInput[]> = {
    "a name that climbs": [file("../escape")],
    "a hard link that climbs": [{ name: "x", type: "hardlink", linkName: "../../x" }],
    "a hard link to what is absent": [{ name: "x", type: "hardlink", linkName: "etc/shadow" }],
    "a whiteout of the parent": [{ name: "d/.wh...", type: "file" }],
    "a file through a file": [file("a"), file("a/b")],
    "a file through an absolute link": [link, file("link/escape")],
  };
  for (const [what, entries] of Object.entries(refused)) {
    const archive = setup.archive("bad.tar", [layer(entries)]);
    await assert.rejects(store.import(archive), { code: "invalid-archive" }, what);
  }
  const [image] = await store.import(setup.archive("ok.tar", [layer([climb, file("up/inside")])]));
  assert.ok(existsSync(path.join(image?.layerPaths[0] ?? "", "inside")));
  assert.deepEqual(readdirSync(outside), []);
  assert.deepEqual(readdirSync(path.join(setup.directory, "store/tmp")), []);
  assert.equal(readdirSync(path.join(setup.directory, "store/layers")).length, 1);
});

test("damaged archives say what is wrong", { skip: root }, async () => {
  using setup = setUp();
  const store = await setup.open();
  const good = readFileSync(setup.archive("good.tar", [layer([file("a")])], { gzip: true }));
  const bad = path.join(setup.directory, "bad.tar");
  const importing = (bytes: Uint8Array) => {
    writeFileSync(bad, bytes);
    return store.import(bad);
  };
  await assert.rejects(store.import(path.join(setup.directory, "none")), {
    code: "invalid-archive",
  });
  await assert.rejects(importing(text("hello")), { code: "invalid-archive" });
  await assert.rejects(importing(good.subarray(0, good.length / 2)), { code: "invalid-archive" });
  const swapped = Buffer.from(good.toString("latin1").replace('"Cmd"', '"Cme"'), "latin1");
  await assert.rejects(importing(swapped), { code: "digest-mismatch" });
  const zstd = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]);
  await assert.rejects(store.import(setup.archive("z.tar", [zstd])), {
    code: "invalid-archive",
    message: /Cannot decompress zstd/,
  });
  assert.deepEqual(readdirSync(path.join(setup.directory, "store/layers")), []);
});

/** A frame of raw blocks. Source: RFC 8878, section 3.1.1. */
function zstdFrame(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58)];
  const blockBytes = 128 * 1024;
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes);
    const header = Buffer.alloc(3);
    header.writeUIntLE(block.length * 8 + (at + blockBytes >= bytes.length ? 1 : 0), 0, 3);
    parts.push(header, block);
  }
  return concat(parts);
}

test("archives that are compressed as a whole import, and leave no copy", {
  skip: root,
}, async () => {
  using setup = setUp();
  const store = await setup.open();
  const plain = readFileSync(setup.archive("a.tar", [layer([file("a")])]));
  const importing = (bytes: Uint8Array) => {
    const target = path.join(setup.directory, "whole");
    writeFileSync(target, bytes);
    return store.import(target);
  };
  const zipped = gzipSync(plain);
  for (const whole of [zipped, zstdFrame(plain)]) {
    const [image] = await importing(whole);
    assert.equal(readFileSync(path.join(image?.layerPaths[0] ?? "", "a"), "utf8"), "a");
    await store.remove("app:1");
  }
  const bad: [Uint8Array, RegExp][] = [
    [zipped.subarray(0, zipped.length / 2), /whole": unexpected end of file/],
    [zstdFrame(plain).subarray(0, 5_000), /Cannot decompress zstd: the last frame is cut short/],
    [gzipSync("hello"), /Cannot import ".*whole": /],
    [gzipSync(zipped), /Cannot import ".*whole": /],
    [Buffer.from("fd377a585a00", "hex"), /is compressed by xz: use gzip, zstd or nothing/],
    [Buffer.from("BZh91AY"), /is compressed by bzip2/],
  ];
  for (const [bytes, message] of bad) {
    await assert.rejects(importing(bytes), { code: "invalid-archive", message });
  }
  assert.deepEqual(readdirSync(path.join(setup.directory, "store/tmp")), []);
  assert.deepEqual(readdirSync(path.join(setup.directory, "store/layers")), []);
});

test("archives of other tools import: docker-archive, directory, gzip", {
  skip: root || spawnSync("skopeo", ["--version"]).error ? "needs root and skopeo" : false,
}, async () => {
  using setup = setUp();
  const store = await setup.open();
  const archive = setup.archive("a.tar", [layer([file("a")]), layer([file("b")])]);
  const id = (await store.import(archive))[0]?.id;
  const copy = (target: string) => {
    const run = spawnSync(
      "skopeo",
      ["--insecure-policy", "copy", "-q", `oci-archive:${archive}`, target],
      { encoding: "utf8" },
    );
    assert.equal(run.status, 0, run.stderr);
  };
  const docker = path.join(setup.directory, "docker.tar");
  copy(`docker-archive:${docker}:docker.io/library/saved:3`);
  const [saved] = await store.import(docker);
  assert.deepEqual(saved?.references.at(-1), "docker.io/library/saved:3");
  assert.equal(saved?.layerPaths.length, 2);
  const layout = path.join(setup.directory, "layout");
  copy(`oci:${layout}:registry.example/team/app:4`);
  const [fromLayout] = await store.import(layout);
  assert.equal(fromLayout?.id, id);
  assert.equal(store.find("registry.example/team/app:4")?.id, id);
});

test("layers compressed by zstd import, also those that can be read in parts", {
  skip: root || spawnSync("skopeo", ["--version"]).error ? "needs root and skopeo" : false,
}, async () => {
  using setup = setUp();
  const store = await setup.open();
  const body = "a line of it\n".repeat(50_000);
  const archive = setup.archive("a.tar", [layer([file("a", body)]), layer([file("b")])]);
  for (const format of ["zstd", "zstd:chunked"]) {
    const layout = path.join(setup.directory, format.replace(":", "-"));
    const flags = ["--insecure-policy", "copy", "-q", "--dest-compress-format", format];
    const source = `oci-archive:${archive}`;
    const run = spawnSync("skopeo", [...flags, source, `oci:${layout}:app:${flags.length}`], {
      encoding: "utf8",
    });
    assert.equal(run.status, 0, run.stderr);
    const packed = path.join(setup.directory, "packed.tar");
    assert.equal(spawnSync("tar", ["-C", layout, "-cf", packed, "."]).status, 0);
    for (const file of [layout, packed]) {
      const [image] = await store.import(file, { name: "compressed" });
      assert.equal(image?.layerPaths.length, 2);
      const [first = "", second = ""] = image?.layerPaths ?? [];
      assert.equal(readFileSync(path.join(first, "a"), "utf8"), body);
      assert.equal(readFileSync(path.join(second, "b"), "utf8"), "b");
      assert.match(manifestOf(layout), /tar\+zstd/);
      await store.remove("compressed");
    }
  }
});

/** All documents of a layout in which every blob is a small one. */
function manifestOf(layout: string): string {
  const folder = path.join(layout, "blobs/sha256");
  const texts = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), "latin1"));
  return texts.filter((one) => one.startsWith("{")).join("");
}

test("an interrupted import is cleaned up by the next opening", { skip: root }, async () => {
  using setup = setUp();
  const archive = setup.archive("a.tar", [layer([file("a")])]);
  await setup.open();
  const rubbish = createHash("sha256").update("x").digest("hex");
  mkdirSync(path.join(setup.directory, "store/layers", rubbish, "fs"), { recursive: true });
  mkdirSync(path.join(setup.directory, "store/tmp/half/fs"), { recursive: true });
  const store = await setup.open();
  assert.deepEqual(readdirSync(path.join(setup.directory, "store/layers")), []);
  assert.deepEqual(readdirSync(path.join(setup.directory, "store/tmp")), []);
  const signal = AbortSignal.abort();
  await assert.rejects(store.import(archive, { signal }), { name: "AbortError" });
  assert.deepEqual(readdirSync(path.join(setup.directory, "store/tmp")), []);
});

test("an import by another process is seen at once, also of a name that was there", async () => {
  using setup = setUp();
  const [ours, theirs] = [await setup.open(), await setup.open()];
  const changed = new Promise<void>((resolve) => {
    const watch = ours.onChange(() => {
      watch[Symbol.dispose]();
      resolve();
    });
  });
  await theirs.import(setup.archive("one.tar", [layer([file("one")])]));
  const alive = setInterval(() => {}, 1_000); // a watch by itself lets the process end
  await changed;
  clearInterval(alive);
  const first = ours.find("app:1");
  assert.ok(first);
  await theirs.import(setup.archive("two.tar", [layer([file("two")])]));
  const second = await ours.ensure("app:1", "IfNotPresent");
  assert.notEqual(second.id, first.id);
  await theirs.remove("app:1");
  assert.equal(ours.find("app:1"), undefined);
});

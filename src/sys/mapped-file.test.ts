import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import koffi from "koffi";
import { libc } from "./libc.ts";
import { releaseMappedPages } from "./mapped-file.ts";

const FILE_BYTES = 1 << 20;
const PROT_READ = 1;
const MAP_SHARED = 1;
// SAFETY: the mappings are only read, within the file, and unmapped by the test that made them.
const mmap = libc.func("mmap", "void *", ["void *", "size_t", "int", "int", "int", "long"]);
const munmap = libc.func("munmap", "int", ["void *", "size_t"]);

/** Maps a new file with room to grow, and touches all of it. */
function mapFile(mappedBytes: number) {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-map-"));
  const file = path.join(directory, "data");
  writeFileSync(file, Buffer.alloc(FILE_BYTES, "x"));
  const fd = openSync(file, "r");
  const address: unknown = mmap(null, mappedBytes, PROT_READ, MAP_SHARED, fd, 0);
  closeSync(fd);
  const read = (): Buffer =>
    Buffer.from(koffi.decode(address, koffi.array("uint8_t", FILE_BYTES, "Typed")) as Uint8Array);
  read();
  return {
    file,
    read,
    [Symbol.dispose]() {
      munmap(address, mappedBytes);
      rmSync(directory, { recursive: true });
    },
  };
}

function residentKib(file: string): number {
  const smaps = readFileSync("/proc/self/smaps", "utf8");
  const from = smaps.slice(smaps.indexOf(` ${file}\n`));
  return Number(/^Rss:\s+(\d+) kB$/m.exec(from)?.[1]);
}

test("pages of a mapped file are let go of and come back when they are read", () => {
  using mapped = mapFile(FILE_BYTES * 4);
  assert.ok(residentKib(mapped.file) >= FILE_BYTES / 1_024);
  releaseMappedPages(mapped.file);
  assert.equal(residentKib(mapped.file), 0);
  assert.ok(mapped.read().every((byte) => byte === 0x78));
  assert.ok(residentKib(mapped.file) >= FILE_BYTES / 1_024);
});

test("a mapping that its file may soon outgrow is left alone, and so is what is not mapped", () => {
  using mapped = mapFile(FILE_BYTES);
  releaseMappedPages(mapped.file);
  assert.ok(residentKib(mapped.file) >= FILE_BYTES / 1_024);
  releaseMappedPages(path.join(path.dirname(mapped.file), "missing"));
});

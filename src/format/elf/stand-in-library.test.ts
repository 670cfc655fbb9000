import assert from "node:assert/strict";
import { test } from "node:test";
import { importsFrom, isLinkedAtStart } from "./library-imports.ts";
import { standInLibrary } from "./stand-in-library.ts";

const functions = [
  { name: "sd_notify", version: "LIBSYSTEMD_209" },
  { name: "sd_bus_call", version: "LIBSYSTEMD_221" },
];

test("a stand-in for a library is a small file of its machine in which nothing can run", () => {
  for (const [machine, code] of [
    ["x64", 62],
    ["arm64", 183],
  ] as const) {
    const bytes = standInLibrary(machine, { soname: "libsystemd.so.0", functions });
    const view = new DataView(bytes.buffer);
    assert.equal(view.getUint32(0), 0x7f454c46);
    assert.deepEqual([view.getUint16(16, true), view.getUint16(18, true)], [3, code]);
    const segments = Array.from({ length: view.getUint16(56, true) }, (_, at) => 64 + 56 * at);
    for (const at of segments) assert.equal(view.getUint32(at + 4, true), 6, "read and write");
    assert.ok(bytes.length < 1000);
    assert.equal(isLinkedAtStart(bytes), false);
  }
});

test("files of other kinds, and those cut short, take nothing from a library", () => {
  const library = standInLibrary("x64", { soname: "a.so", functions });
  // Says that it has sections, which it has not.
  const broken = Uint8Array.from(library);
  const view = new DataView(broken.buffer);
  view.setBigUint64(40, 100_000n, true);
  view.setUint16(60, 9, true);
  for (const file of [new Uint8Array(), new Uint8Array(4096), library, broken]) {
    assert.deepEqual(importsFrom(file, "a.so"), []);
    assert.equal(isLinkedAtStart(file), false);
  }
});

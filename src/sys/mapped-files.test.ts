import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { parseMappedFiles } from "./mapped-files.ts";

const SMAPS = `00400000-0040b000 r-xp 00000000 fe:00 31 /usr/bin/with spaces
Size:                 44 kB
Rss:                  40 kB
Anonymous:             0 kB
0040b000-0040c000 r--p 0000b000 fe:00 31                                 /usr/bin/relocated
Rss:                   4 kB
Anonymous:             4 kB
0040c000-0050c000 rw-p 00000000 00:00 0                                  [heap]
Anonymous:          1024 kB
7f0000000000-7f0100000000 r--s 00000000 fe:00 77                         /data/data.mdb
Anonymous:             0 kB
7f0200000000-7f0200001000 rw-p 00000000 00:00 0
Anonymous:             4 kB
7f0300000000-7f0300001000 rw-s 00000000 00:0e 5                          anon_inode:[io_uring]
`;

test("mapped files are told apart from memory, and whether they were written privately", () => {
  assert.deepEqual(
    parseMappedFiles(SMAPS).map((file) => ({ ...file, start: file.start.toString(16) })),
    [
      { ...PLAIN, start: "400000", sizeBytes: 0xb000n },
      { ...PLAIN, start: "40b000", sizeBytes: 0x1000n, anonymousBytes: 4096 },
      { ...PLAIN, start: "7f0000000000", sizeBytes: 0x1_0000_0000n, isShared: true },
    ],
  );
});

const PLAIN = { isShared: false, isWritable: false, anonymousBytes: 0 };

/** In a process of its own: the other tests of this one touch files meanwhile. */
test("a program whose pages were let go of goes on, with fewer of them", () => {
  const url = new URL("./mapped-files.js", import.meta.url).href;
  const script = `
    const { releaseProgram, releaseSharedFiles, residentBytes } = await import("${url}");
    const before = residentBytes().fileBytes;
    const program = releaseProgram();
    const after = residentBytes().fileBytes;
    const work = () => new Function("text", "return JSON.parse(text).sort()");
    work()("[2,1]");
    const used = residentBytes().fileBytes;
    program.release();
    const again = residentBytes().fileBytes;
    releaseSharedFiles();
    console.log(JSON.stringify({ before, after, used, again, sum: work()("[2,1]") }));`;
  const args = ["--input-type=module", "--eval", script];
  const told: unknown = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  const { sum, ...bytes } = told as { sum: number[] } & Record<string, number>;
  const { before = 0, after = 0, used = 0, again = 0 } = bytes;
  assert.ok(after < before / 2, `${after} of ${before} bytes are resident still`);
  assert.ok(again < used, `${again} of ${used} bytes are resident still`);
  assert.deepEqual(sum, [1, 2]);
});

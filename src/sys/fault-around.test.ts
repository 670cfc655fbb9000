import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { test } from "node:test";
import { withoutFaultAround } from "./fault-around.ts";
import { check, libc } from "./libc.ts";

// JUSTIFICATION: Node.js maps no files. SAFETY: the mapping is this test's own and only read; it is
// unmapped at its end.
const mmap = libc.func("uintptr_t mmap(uintptr_t at, size_t size, int, int, int fd, long offset)");
const munmap = libc.func("int munmap(uintptr_t at, size_t size)");
const madvise = libc.func("int madvise(uintptr_t at, size_t size, int advice)");
const memchr = libc.func("uintptr_t memchr(uintptr_t at, int byte, size_t size)");

const PAGE_BYTES = 4096;
const MAPPED_BYTES = 256 * PAGE_BYTES;
const PROT_READ = 1;
const MAP_PRIVATE = 2;
const MADV_DONTNEED = 4;

test("only the page that is touched becomes resident, until it is disposed", () => {
  // Much of it is in memory already, as it runs.
  const fd = openSync(process.execPath, "r");
  const start = BigInt(mmap(0, MAPPED_BYTES, PROT_READ, MAP_PRIVATE, fd, 0) as number | bigint);
  try {
    /** Pages that are resident once one of them was touched. */
    const touched = () => {
      check(madvise(start, MAPPED_BYTES, MADV_DONTNEED), "madvise");
      memchr(start + BigInt(MAPPED_BYTES / 2), 1, 1);
      return residentPages(start);
    };
    assert.ok(touched() > 1);
    const sparse = withoutFaultAround([{ start, sizeBytes: BigInt(MAPPED_BYTES) }]);
    const [major = 0, minor = 0] = release().split(".").map(Number);
    const hasKernel = major > 6 || (major === 6 && minor >= 7);
    assert.equal(sparse !== undefined, hasKernel && ["x64", "arm64"].includes(process.arch));
    if (!sparse) return;
    assert.equal(touched(), 1);
    sparse[Symbol.dispose]();
    assert.ok(touched() > 1);
  } finally {
    munmap(start, MAPPED_BYTES);
    closeSync(fd);
  }
});

function residentPages(start: bigint): number {
  const text = readFileSync("/proc/self/smaps", "latin1");
  const own = text.slice(text.search(new RegExp(`^0*${start.toString(16)}-`, "m")));
  return (Number(/^Rss: +(\d+) kB$/m.exec(own)?.[1]) * 1024) / PAGE_BYTES;
}

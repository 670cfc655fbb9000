import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import type { LogOptions } from "./contract.ts";
import { readLog } from "./log-reader.ts";
import { readCompressed } from "./log-tail.ts";

const entry = (second: number, tag: string, text: string) =>
  `2026-01-02T03:04:${String(second).padStart(2, "0")}.000000001Z stdout ${tag} ${text}\n`;

const LOG =
  entry(1, "F", "one") +
  entry(2, "P", "tw") +
  entry(2, "F", "o") +
  entry(3, "F", "three") +
  "2026-01-02T03:04";

async function withLog(body: (file: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-log-"));
  try {
    await body(path.join(directory, "0.log"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function print(file: string, options: LogOptions): Promise<string> {
  const ended = { isLive: () => false, onEnd: () => ({ [Symbol.dispose]: () => {} }) };
  const stream = await readLog({ path: file, ...ended }, options, new AbortController().signal);
  return Buffer.concat(await stream.toArray()).toString();
}

test("a log is printed without its framing, an unfinished entry left out", async () => {
  await withLog(async (file) => {
    writeFileSync(file, LOG);
    assert.equal(await print(file, {}), "one\ntwo\nthree\n");
    assert.equal(await print(file, { tailLines: 2 }), "two\nthree\n");
    assert.equal(await print(file, { tailLines: 0 }), "");
    assert.equal(await print(file, { tailLines: 9 }), "one\ntwo\nthree\n");
    assert.equal(await print(file, { limitBytes: 5 }), "one\nt");
    assert.equal(
      await print(file, { sinceTimeMs: Date.parse("2026-01-02T03:04:02.5Z") }),
      "three\n",
    );
    assert.match(await print(file, { timestamps: true, tailLines: 1 }), /^2026-.*Z three\n$/);
    assert.equal(await print(`${file}.absent`, {}), "");
  });
});

test("times in UTC are marked as such, however the monitor spells them", async () => {
  await withLog(async (file) => {
    const time = "2026-01-02T03:04:05.678901234";
    writeFileSync(file, `${time}+00:00 stdout F here\n${time}+02:00 stdout F there\n`);
    const printed = await print(file, { timestamps: true });
    assert.equal(printed, `${time}Z here\n${time}+02:00 there\n`);
  });
});

test("a long log is read back only as far as its tail", async () => {
  await withLog(async (file) => {
    const lines = Array.from({ length: 5000 }, (_, at) => entry(at % 60, "F", `line ${at}`));
    writeFileSync(file, lines.join(""));
    assert.equal(await print(file, { tailLines: 2 }), "line 4998\nline 4999\n");
    assert.equal((await print(file, { tailLines: 4000 })).split("\n").length, 4001);
  });
});

test("following ends when the container has ended, with nothing lost", async () => {
  await withLog(async (file) => {
    writeFileSync(file, entry(1, "F", "one"));
    let live = true;
    let ended = () => {};
    const source = {
      path: file,
      isLive: () => live,
      onEnd: (handler: () => void) => {
        ended = handler;
        return { [Symbol.dispose]: () => {} };
      },
    };
    const stream = await readLog(source, { follow: true }, new AbortController().signal);
    const chunks: string[] = [];
    for await (const chunk of stream) {
      chunks.push(String(chunk));
      if (chunks.length === 1) appendFileSync(file, entry(2, "F", "two"));
      if (chunks.length === 2) {
        appendFileSync(file, entry(3, "F", "three"));
        live = false;
        ended();
      }
    }
    assert.equal(chunks.join(""), "one\ntwo\nthree\n");
  });
});

test("a rotated log is read as one, also backwards from its end", async () => {
  await withLog(async (file) => {
    writeFileSync(
      `${file}.20260102-030400.gz`,
      gzipSync(entry(1, "F", "one") + entry(2, "F", "two")),
    );
    writeFileSync(`${file}.20260102-030500`, entry(3, "F", "three"));
    writeFileSync(file, entry(4, "F", "four"));
    writeFileSync(file.replace("0.log", "10.log"), entry(4, "F", "of another attempt"));
    assert.equal(await print(file, {}), "one\ntwo\nthree\nfour\n");
    assert.equal(await print(file, { tailLines: 1 }), "four\n");
    assert.equal(await print(file, { tailLines: 3 }), "two\nthree\nfour\n");
    assert.equal(await print(file, { tailLines: 9 }), "one\ntwo\nthree\nfour\n");
    assert.equal(await print(file, { limitBytes: 6 }), "one\ntw");
    const sinceTimeMs = Date.parse("2026-01-02T03:04:02.5Z");
    assert.equal(await print(file, { sinceTimeMs }), "three\nfour\n");
  });
});

test("a link in the place of a log, or of a part of it, is not followed", async () => {
  await withLog(async (file) => {
    const secret = path.join(path.dirname(file), "secret");
    writeFileSync(secret, entry(1, "F", "secret"));
    writeFileSync(`${secret}.gz`, gzipSync(entry(1, "F", "secret")));
    symlinkSync(`${secret}.gz`, `${file}.20260102-030400.gz`);
    symlinkSync(secret, `${file}.20260102-030500`);
    writeFileSync(file, entry(4, "F", "four"));
    assert.equal(await print(file, {}), "four\n");
    rmSync(file);
    symlinkSync(secret, file);
    await assert.rejects(print(file, {}), /is a link, and no log/);
    await assert.rejects(readCompressed(`${file}.20260102-030400.gz`), { code: "ELOOP" });
  });
});

test("following goes on in the files that take the place of the first", async () => {
  await withLog(async (file) => {
    writeFileSync(file, entry(1, "F", "one"));
    const abort = new AbortController();
    const source = {
      path: file,
      isLive: () => true,
      onEnd: () => ({ [Symbol.dispose]: () => {} }),
    };
    const stream = await readLog(source, { follow: true }, abort.signal);
    let seen = "";
    for await (const chunk of stream) {
      seen += String(chunk);
      if (seen === "one\n") {
        renameSync(file, `${file}.20260102-030500`);
        appendFileSync(`${file}.20260102-030500`, entry(2, "F", "two"));
        writeFileSync(file, entry(3, "F", "three"));
        renameSync(file, `${file}.20260102-030600`);
        writeFileSync(file, entry(4, "F", "four"));
      }
      if (seen.endsWith("four\n")) abort.abort();
    }
    assert.equal(seen, "one\ntwo\nthree\nfour\n");
  });
});

test("the rest of a line whose begin is too old has no time of its own, as any rest", async () => {
  await withLog(async (file) => {
    writeFileSync(file, entry(1, "P", "ol") + entry(3, "F", "d") + entry(4, "F", "new"));
    const sinceTimeMs = Date.parse("2026-01-02T03:04:02Z");
    const printed = await print(file, { sinceTimeMs, timestamps: true });
    assert.match(printed, /^d\n2026\S+ new\n$/);
    writeFileSync(file, entry(1, "P", "") + entry(1, "F", "one"));
    assert.match(await print(file, { timestamps: true }), /^\S+ \S+ one\n$/);
  });
});

test("of several tags the first tells whether a line goes on, and none is refused", async () => {
  await withLog(async (file) => {
    writeFileSync(file, entry(1, "P:A:B", "o") + entry(1, "X", "ne") + entry(2, "PF", "two"));
    assert.equal(await print(file, {}), "one\ntwo\n");
    assert.equal(await print(file, { tailLines: 1 }), "two\n");
  });
});

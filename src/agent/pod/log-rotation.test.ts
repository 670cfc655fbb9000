import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { type ContainerRuntime, RuntimeError } from "../runtime/contract.ts";
import { removeLog, rotateLog, startLogRotation } from "./log-rotation.ts";

const limits = { maxBytes: 10, maxFiles: 3, everyMs: 10_000 };

async function withLog(body: (log: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-rotate-"));
  try {
    await body(path.join(directory, "0.log"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function runtimeThat(reopenLog: () => Promise<void>): ContainerRuntime {
  return { reopenLog } as Partial<ContainerRuntime> as ContainerRuntime;
}

test("the newest parts of a log are kept, all but the last one compressed", () =>
  withLog(async (logPath) => {
    const clock = new VirtualClock(Date.parse("2026-01-02T03:04:05Z"));
    const runtime = runtimeThat(async () => writeFileSync(logPath, ""));
    const folder = path.dirname(logPath);
    for (const text of ["first", "second", "third", "fourth"]) {
      writeFileSync(logPath, text);
      await rotateLog({ id: "a", logPath }, { runtime, clock, limits });
      await clock.advance(10_000);
    }
    const parts = ["0.log", "0.log.20260102-030425.gz", "0.log.20260102-030435"];
    assert.deepEqual(readdirSync(folder).sort(), parts);
    const [, third = "", fourth = ""] = parts.map((name) => path.join(folder, name));
    assert.equal(gunzipSync(readFileSync(third)).toString(), "third");
    assert.equal(readFileSync(fourth, "utf8"), "fourth");
    writeFileSync(path.join(folder, "1.log"), "of another attempt");
    removeLog(logPath);
    assert.deepEqual(readdirSync(folder), ["1.log"]);
  }));

test("a log whose monitor does not answer stays where it was", () =>
  withLog(async (logPath) => {
    const clock = new VirtualClock();
    const runtime = runtimeThat(() =>
      Promise.reject(new RuntimeError("not-running", "its monitor is gone")),
    );
    writeFileSync(logPath, "text");
    await assert.rejects(rotateLog({ id: "a", logPath }, { runtime, clock, limits }));
    assert.equal(readFileSync(logPath, "utf8"), "text");
    assert.deepEqual(readdirSync(path.dirname(logPath)), ["0.log"]);
  }));

test("a log is put aside when it is as long as it may be, and made again when it is gone", () =>
  withLog(async (logPath) => {
    const clock = new VirtualClock();
    const reopened: string[] = [];
    const container = { id: "a", name: "main", state: "running", logPath };
    const runtime = {
      containers: () => [container],
      reopenLog: async (id: string) => {
        reopened.push(id);
        writeFileSync(logPath, "");
      },
    } as Partial<ContainerRuntime> as ContainerRuntime;
    await using _ = startLogRotation({ runtime, clock, logger: silentLogger, limits });
    const look = async () => {
      await clock.advance(10_000);
      return readdirSync(path.dirname(logPath)).length;
    };
    writeFileSync(logPath, "123456789");
    assert.equal(await look(), 1);
    writeFileSync(logPath, "1234567890");
    assert.equal(await look(), 2);
    assert.deepEqual(reopened, ["a"]);
    rmSync(logPath);
    assert.equal(await look(), 2);
    assert.deepEqual(reopened, ["a", "a"]);
    container.state = "exited";
    rmSync(logPath);
    assert.equal(await look(), 1);
  }));

test("what was being compressed when the agent died goes", () =>
  withLog(async (logPath) => {
    const runtime = runtimeThat(async () => writeFileSync(logPath, ""));
    writeFileSync(logPath, "text");
    const folder = path.dirname(logPath);
    const unfinished = ["0.log.20260102-030425.gz.tmp", "10.log.20260102-030425.gz.tmp"];
    for (const name of unfinished) writeFileSync(path.join(folder, name), "");
    await rotateLog({ id: "a", logPath }, { runtime, clock: new VirtualClock(0), limits });
    const left = ["0.log", "0.log.19700101-000000", unfinished[1]];
    assert.deepEqual(readdirSync(folder).sort(), left);
  }));

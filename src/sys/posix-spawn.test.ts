import assert from "node:assert/strict";
import { closeSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { makePipe } from "./file.ts";
import { libc } from "./libc.ts";
import { reap, spawnProgram } from "./posix-spawn.ts";
import { processStartTime } from "./process.ts";

const env = { GREETING: "hello" };

test("a spawned program has the given arguments, variables, directory and descriptors", async () => {
  const { readFd, writeFd } = makePipe();
  const script = 'echo "$1 $GREETING $PWD $(readlink /proc/self/fd/0)" >&3';
  const pid = spawnProgram({
    file: "/bin/sh",
    args: ["-c", script, "sh", "first"],
    directory: tmpdir(),
    env,
    descriptors: ["ignore", "ignore", "ignore", writeFd],
  });
  closeSync(writeFd);
  const text = readFileSync(readFd, "utf8");
  closeSync(readFd);
  await reap(pid);
  assert.equal(text, `first hello ${tmpdir()} /dev/null\n`);
});

test("a descriptor among the targets reaches its place whole", async () => {
  const [first, second] = [makePipe(), makePipe()];
  // Whatever their numbers, many targets cover them, in the wrong order.
  const length = 2 + Math.max(first.writeFd, second.writeFd);
  const descriptors = Array.from<unknown, number | "ignore">({ length }, () => "ignore");
  descriptors[first.writeFd] = second.writeFd;
  descriptors[second.writeFd] = first.writeFd;
  const script = `echo two >&${first.writeFd}; echo one >&${second.writeFd}`;
  const args = ["-c", script];
  const file = "/bin/bash";
  const pid = spawnProgram({ file, args, directory: "/", env, descriptors });
  for (const { writeFd } of [first, second]) closeSync(writeFd);
  assert.equal(readFileSync(first.readFd, "utf8"), "one\n");
  assert.equal(readFileSync(second.readFd, "utf8"), "two\n");
  for (const { readFd } of [first, second]) closeSync(readFd);
  await reap(pid);
});

test("a program that does not exist is refused with its error", () => {
  const request = { file: "/nonexistent", args: [], directory: "/", env, descriptors: [] };
  assert.throws(() => spawnProgram(request), { code: "ENOENT" });
});

test("a child that still runs is waited for and leaves no zombie", async () => {
  const pid = spawnProgram({
    file: "/bin/sleep",
    args: ["0.05"],
    directory: "/",
    env,
    descriptors: [],
  });
  assert.equal(await reap(pid), 0);
  assert.throws(() => readFileSync(`/proc/${pid}/stat`), { code: "ENOENT" });
  assert.equal(processStartTime(pid), undefined);
});

test("the end of a child tells its exit code, or the signal that ended it", async () => {
  const run = (script: string) =>
    reap(
      spawnProgram({
        file: "/bin/sh",
        args: ["-c", script],
        directory: "/",
        env,
        descriptors: ["ignore", "ignore", "ignore"],
      }),
    );
  assert.equal(await run("exit 7"), 7);
  assert.equal(await run("kill -9 $$"), 137);
});

test("a spawned program gets no descriptor that is not its own", async () => {
  const { readFd, writeFd } = makePipe();
  // Libraries open some without close-on-exec, as dup2(2) does.
  const stray: number = libc.func("int dup2(int fd, int as)")(writeFd, 200);
  const script = "[ -e /proc/self/fd/200 ] && echo leaked >&3; echo $1 >&3";
  const pid = spawnProgram({
    file: "/bin/sh",
    args: ["-c", script, "sh", "first"],
    directory: "/",
    env,
    descriptors: ["ignore", "ignore", "ignore", writeFd],
  });
  for (const fd of [writeFd, stray]) closeSync(fd);
  assert.equal(readFileSync(readFd, "utf8"), "first\n");
  closeSync(readFd);
  assert.equal(await reap(pid), 0);
});

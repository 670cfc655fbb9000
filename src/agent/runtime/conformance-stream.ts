import assert from "node:assert/strict";
import { readFileSync, renameSync } from "node:fs";
import { sleep } from "../../lib/clock.ts";
import { systemClock } from "../../sys/clock.ts";
import { type Conformance, GRACE_MS, textOf } from "./conformance-context.ts";

/** Commands beside the process, and what goes in and out. */
export function streamConformance(on: Conformance): void {
  const { it, start } = on;

  it("executes commands beside the process, with a time limit", async () => {
    const spec = await start("sleep 100");
    const result = await on.runtime.execSync(
      spec.id,
      ["sh", "-c", "echo $GREETING; echo e >&2; exit 4"],
      5000,
    );
    assert.deepEqual(result, { exitCode: 4, stdout: "hello\n", stderr: "e\n", timedOut: false });
    const late = await on.runtime.execSync(spec.id, ["sleep", "50"], 100);
    assert.equal(late.timedOut, true);
    const flood = await on.runtime.execSync(spec.id, ["sh", "-c", "yes | head -c 100000"], 5000);
    assert.equal(flood.stdout.length, 16 * 1024);
    const pids = await on.runtime.execSync(
      spec.id,
      ["sh", "-c", "ps | grep -c '[s]leep 50'"],
      5000,
    );
    assert.equal(pids.stdout, "0\n");
    const missing = await on.runtime.execSync(spec.id, ["absent-command"], 5000);
    assert.equal(missing.exitCode, 127);
    assert.match(missing.stderr, /absent-command/);
    assert.equal((await on.runtime.execSync(spec.id, ["/etc/passwd"], 5000)).exitCode, 126);
    const own = await on.runtime.execSync(spec.id, ["sh", "-c", "exit 255"], 5000);
    assert.equal(own.exitCode, 255);
    await on.runtime.stopContainer(spec.id, { graceMs: 0 });
    await assert.rejects(on.runtime.execSync(spec.id, ["true"], 1000), { code: "not-running" });
    await on.runtime.removeSandbox(spec.sandboxId);
  });

  it("streams an exec both ways, without and with a terminal that can be resized", async () => {
    const spec = await start("sleep 100");
    const all = { stdin: true, stdout: true, stderr: true };
    await using plain = await on.runtime.exec(spec.id, {
      ...all,
      tty: false,
      command: ["sh", "-c", "cat; echo done > /dev/stderr; exit 5"],
    });
    const big = "0123456789".repeat(50_000);
    plain.stdin?.end(big);
    const [out, err] = await Promise.all([textOf(plain.stdout), textOf(plain.stderr)]);
    assert.equal(out.length, big.length);
    assert.equal(err, "done\n");
    assert.deepEqual(await plain.exit, { exitCode: 5 });

    await using terminal = await on.runtime.exec(spec.id, {
      ...all,
      tty: true,
      command: [
        "sh",
        "-c",
        "stty size; read line; until stty size | grep 37; do sleep 0.01; done; echo got $line; exit 6",
      ],
    });
    terminal.resize({ columns: 80, rows: 25 });
    const screen = textOf(terminal.stdout);
    terminal.stdin?.write("hi\n");
    terminal.resize({ columns: 101, rows: 37 });
    assert.match(await screen, /got hi/);
    assert.match(await screen, /37 101/);
    assert.deepEqual(await terminal.exit, { exitCode: 6 });
    await using absent = await on.runtime.exec(spec.id, { ...all, tty: true, command: ["absent"] });
    assert.match(await textOf(absent.stdout), /absent/);
    assert.deepEqual(await absent.exit, { exitCode: 127 });
    await on.runtime.removeSandbox(spec.sandboxId);
  });

  it("goes on with its log in a new file, and loses no line", async () => {
    const spec = await start("trap 'exit 0' USR1; i=0; while true; do echo $i; i=$((i+1)); done");
    const parts = [0, 1, 2].map((at) => `${spec.logPath}.${at}`);
    for (const part of parts) {
      renameSync(spec.logPath, part);
      await on.runtime.reopenLog(spec.id);
    }
    await on.runtime.stopContainer(spec.id, { signal: "SIGUSR1", graceMs: GRACE_MS });
    await assert.rejects(on.runtime.reopenLog(spec.id), { code: "not-running" });
    const text = [...parts, spec.logPath].map((part) => readFileSync(part, "utf8")).join("");
    // A line that the monitor read in two pieces has two entries, the first one tagged "P".
    const joined = text.replace(/ P (.*)\n\S+ stdout F /g, " F $1");
    const numbers = joined
      .trimEnd()
      .split("\n")
      .map((line) => Number(line.split(" ").at(-1)));
    assert.deepEqual(numbers, Array.from(numbers.keys()));
    await on.runtime.removeSandbox(spec.sandboxId);
  });

  it("attaches to the running process", async () => {
    const script =
      "while read a && [ $a = one ]; do echo first $a; echo heard $a >&2; done; " +
      "echo second $a >&2; exit 9";
    const spec = await start(script, { stdin: true });
    const all = { stdin: true, stdout: true, stderr: true };
    await using session = await on.runtime.attach(spec.id, all);
    const [out, err] = [textOf(session.stdout), textOf(session.stderr)];
    let heard = 0;
    for (const stream of [session.stdout, session.stderr]) stream?.once("data", () => heard++);
    // containerd passes input on before it listens to each of the two: what is answered at once
    // may be missed.
    for (let attempt = 0; attempt < 200 && heard < 2; attempt++) {
      session.stdin?.write("one\n");
      await sleep(systemClock, 20);
    }
    session.stdin?.write("two\n");
    assert.match(await out, /^(?:first one\n)+$/);
    assert.match(await err, /^(?:heard one\n)+second two\n$/);
    assert.deepEqual(await session.exit, { exitCode: 9 });
    await on.runtime.removeSandbox(spec.sandboxId);
  });
}

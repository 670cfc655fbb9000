import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { spawnPiped } from "./child.ts";
import { processStartTime } from "./process.ts";

const all = { stdin: true, stdout: true, stderr: true };

async function textOf(stream: AsyncIterable<unknown> | undefined): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

test("a child reads and writes through pipes and tells its exit code", async () => {
  const child = spawnPiped(
    ["/bin/sh", "-c", "read a; echo got $a; echo err >/dev/stderr; exit 3"],
    all,
  );
  child.stdin?.end("hi\n");
  const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  assert.equal(out, "got hi\n");
  assert.equal(err, "err\n");
  assert.equal(await child.exit, 3);
});

test("a killed child ends by the signal; killing it again does nothing", async () => {
  const child = spawnPiped(["/bin/sleep", "1000"], { stdin: false, stdout: false, stderr: false });
  child.kill();
  assert.equal(await child.exit, 137);
  child.kill();
});

test("what a killed child had started ends with it", async () => {
  const script = "/bin/sleep 1000 & echo $!; wait";
  const streams = { stdin: false, stdout: true, stderr: false };
  const child = spawnPiped(["/bin/sh", "-c", script], streams);
  const [line] = (await once(child.stdout as Socket, "data")) as [Buffer];
  const pid = Number(line.toString());
  assert.ok(processStartTime(pid));
  child.kill();
  while (processStartTime(pid) !== undefined) await new Promise((done) => setImmediate(done));
  assert.equal(await child.exit, 137);
});

test("many children that run do not hold up each other's end", async () => {
  const none = { stdin: false, stdout: false, stderr: false };
  const patient = Array.from({ length: 8 }, () => spawnPiped(["/bin/sleep", "1000"], none));
  assert.equal(await spawnPiped(["/bin/true"], none).exit, 0);
  for (const child of patient) child.kill();
  assert.deepEqual(new Set(await Promise.all(patient.map(({ exit }) => exit))), new Set([137]));
});

test("a program that does not exist is refused", () => {
  assert.throws(() => spawnPiped(["/nonexistent"], all), { code: "ENOENT" });
});

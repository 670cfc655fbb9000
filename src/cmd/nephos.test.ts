import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { test } from "node:test";

test("a command whose output nobody reads to its end stops without complaint", async () => {
  const entry = path.join(import.meta.dirname, "nephos.js");
  const child = spawn(process.execPath, [entry, "help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let complaint = "";
  child.stderr.on("data", (bytes: Buffer) => (complaint += bytes.toString()));
  const [code] = (await once(child, "close")) as [number];
  assert.deepEqual([code, complaint], [141, ""]);
});

// Runs the whole-system tests, one process per file and one after another: they share the machine.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";

const folder = path.resolve(import.meta.dirname, "../test/e2e");
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".test.js"))
  .sort()
  .map((name) => path.join(folder, name));
const result = spawnSync(process.execPath, ["--test", "--test-concurrency=1", ...files], {
  stdio: "inherit",
});
process.exitCode = result.status ?? 1;

// Runs every unit test of the tree in this one process: seconds instead of a process per file.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** Many times what all take beside other work. */
const PATIENCE_MS = 15 * 60_000;

const build = path.resolve(import.meta.dirname, "..");
for (const folder of ["src", "bench", "scripts", "test/fuzz"]) {
  if (!existsSync(path.join(build, folder))) continue;
  for (const name of readdirSync(path.join(build, folder), { recursive: true, encoding: "utf8" })) {
    if (/\.(test|fuzz)\.js$/.test(name)) {
      await import(pathToFileURL(path.join(build, folder, name)).href);
    }
  }
}

setTimeout(() => {
  console.error("Cannot go on: the test after the last one that is listed above does not end");
  process.exit(1);
}, PATIENCE_MS).unref();

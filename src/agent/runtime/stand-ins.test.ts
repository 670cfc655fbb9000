import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { silentLogger } from "../../lib/logger.ts";
import { createStandIns } from "./stand-ins.ts";

const [CONMON, CRUN] = ["/usr/bin/conmon", "/usr/bin/crun"];
const skip = existsSync(CONMON) && existsSync(CRUN) ? false : "needs conmon and crun";

function librariesOf(program: string, environment: Readonly<Record<string, string>>): string {
  const env = { ...environment, LD_TRACE_LOADED_OBJECTS: "1" };
  return spawnSync(program, [], { env, encoding: "utf8" }).stdout;
}

test("programs that start containers link with nothing that they never call", {
  skip,
}, async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-stand-ins-"));
  try {
    const conmon = path.join(directory, "conmon");
    copyFileSync(CONMON, conmon);
    const libraries = path.join(directory, "libraries");
    const standIns = createStandIns(conmon, { directory: libraries, logger: silentLogger });
    assert.deepEqual(standIns.environment(CRUN), {}, "none before it was tried");
    await standIns.prepare([CRUN]);
    const environment = standIns.environment(CRUN);
    for (const program of [conmon, CRUN]) {
      assert.match(librariesOf(program, {}), /libgcrypt/);
      const linked = librariesOf(program, environment);
      assert.ok(linked.includes(`${libraries}/libsystemd.so.0`), linked);
      assert.doesNotMatch(linked, /libgcrypt|liblzma|not found/);
    }
    assert.deepEqual(standIns.environment("/usr/bin/other"), {}, "others were not tried");
    copyFileSync("/bin/false", conmon);
    assert.deepEqual(standIns.environment(CRUN), {}, "a new version of the monitor was not tried");
    await standIns.prepare([CRUN]);
    assert.deepEqual(standIns.environment(CRUN), {}, "what fails is not used");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

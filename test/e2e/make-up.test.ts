// What `make up` and `make down` do, in a data directory of the test's own.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { DEMO_IMAGES } from "./demo-images.ts";
import { outcomeOf } from "./instance-under-test.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const skip = process.getuid?.() === 0 ? false : "needs root";

test("the demo comes up, goes without a trace, and comes up again", { skip }, async () => {
  const parent = mkdtempSync(path.join(tmpdir(), "nephos-demo-"));
  const data = path.join(parent, "data");
  const up = () => {
    const script = path.join(ROOT, "build/scripts/demo-up.js");
    return outcomeOf(process.execPath, [script, "--data-dir", data, "--cache", DEMO_IMAGES]);
  };
  const down = () =>
    outcomeOf(path.join(ROOT, "bin/nephos"), ["down", "--purge", "--data-dir", data]);
  try {
    for (let round = 0; round < 2; round++) {
      const started = await up();
      assert.equal(started.code, 0, `${started.stderr}${started.stdout}`);
      assert.match(started.stdout, /the guestbook serves/);
      for (let time = 0; time < 2; time++) {
        const { code, stdout, stderr } = await down();
        const gone = `Nephos is stopped, and nothing of it is left in ${data}.\n`;
        assert.deepEqual([code, stdout, stderr], [0, gone, ""]);
        assert.ok(!existsSync(data));
      }
    }
  } finally {
    await down();
    rmSync(parent, { recursive: true });
  }
});

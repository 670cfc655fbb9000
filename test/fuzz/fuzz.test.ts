import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzTargets } from "./fuzz-targets.ts";
import { tryTarget } from "./try-target.ts";

/** Enough to see that a target works; `npm run fuzz` looks further. */
const INPUTS = 150;
const SEED = 1;

for (const target of fuzzTargets()) {
  test(`any input of ${target.name} is read or refused`, async () => {
    const more = (turn: number) => turn < INPUTS / (target.cost ?? 1);
    assert.equal(await tryTarget(target, { seed: SEED, more }), undefined);
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { YamlReader } from "./yaml-reader.ts";

const large = (lines: number): Buffer =>
  Buffer.from(`data:\n${Array.from({ length: lines }, (_, at) => `  k${at}: "${at}"\n`).join("")}`);

test("a large text is read while others have their turn", async () => {
  const reader = new YamlReader();
  let turns = 0;
  const count = setInterval(() => turns++, 1);
  const { value } = await reader.read(large(20_000));
  clearInterval(count);
  assert.equal(Object.keys((value as { data: object }).data).length, 20_000);
  assert.ok(turns > 0);
});

test("what is wrong with a text is said, however large it is", async () => {
  const reader = new YamlReader();
  for (const lines of [1, 5000]) {
    const bytes = Buffer.concat([large(lines), Buffer.from("  k: [")]);
    await assert.rejects(reader.read(bytes), { code: 400 });
  }
});

test("too many large texts at once are refused, and the rest is read", async () => {
  const reader = new YamlReader();
  const outcomes = await Promise.allSettled(
    Array.from({ length: 18 }, () => reader.read(large(5000))),
  );
  const refusals = outcomes.flatMap((each) => {
    return each.status === "rejected" ? [(each.reason as { code: number }).code] : [];
  });
  assert.deepEqual(refusals, [429, 429]);
  await reader.read(large(5000));
});

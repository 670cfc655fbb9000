import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { removeRoot } from "./purge.ts";

function dataDirectory(t: TestContext): { root: string; aside: string } {
  const aside = mkdtempSync(path.join(tmpdir(), "nephos-purge-"));
  t.after(() => rmSync(aside, { recursive: true }));
  const root = path.join(aside, "data");
  mkdirSync(path.join(root, "store"), { recursive: true });
  writeFileSync(path.join(root, "store", "data.mdb"), "x");
  writeFileSync(path.join(root, "instance.json"), "{}");
  return { root, aside };
}

test("a data directory goes with all that is Nephos's", (t) => {
  const { root } = dataDirectory(t);
  assert.deepEqual(removeRoot(root), []);
  assert.ok(!existsSync(root));
  assert.deepEqual(removeRoot(root), []);
});

test("what others keep in a data directory stays, though Nephos has run there", (t) => {
  const { root } = dataDirectory(t);
  writeFileSync(path.join(root, "letter.txt"), "dear");
  mkdirSync(path.join(root, "photos"));
  writeFileSync(path.join(root, "photos", "store"), "one");
  assert.deepEqual(removeRoot(root).toSorted(), ["letter.txt", "photos"]);
  assert.equal(readFileSync(path.join(root, "letter.txt"), "utf8"), "dear");
  assert.equal(readFileSync(path.join(root, "photos", "store"), "utf8"), "one");
  assert.ok(!existsSync(path.join(root, "store")) && !existsSync(path.join(root, "instance.json")));
});

test("what a link in a data directory leads to stays", (t) => {
  const { root, aside } = dataDirectory(t);
  const elsewhere = path.join(aside, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(path.join(elsewhere, "layer"), "kept");
  symlinkSync(elsewhere, path.join(root, "images"));
  assert.deepEqual(removeRoot(root), []);
  assert.equal(readFileSync(path.join(elsewhere, "layer"), "utf8"), "kept");
});

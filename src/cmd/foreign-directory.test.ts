import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { CommandError } from "./command-error.ts";
import { openDataDirectory } from "./data-directory.ts";
import { OWN_NAMES, requireOwnDirectory } from "./foreign-directory.ts";
import { writeInstance } from "./instance.ts";
import { parseUpOptions } from "./options.ts";

function scratch(t: TestContext): string {
  const root = mkdtempSync(path.join(tmpdir(), "nephos-foreign-"));
  t.after(() => rmSync(root, { recursive: true }));
  return root;
}

const judge = (root: string) =>
  requireOwnDirectory(openDataDirectory(root, { create: false }), {
    action: "Cannot purge it",
    hint: "name another",
  });

test("a directory of somebody else is refused, and what it holds is named", (t) => {
  const root = scratch(t);
  for (const name of ["a", "b", "c", "d", "store"]) writeFileSync(path.join(root, name), "");
  const holds = /Cannot purge it: .* holds "\w", "\w", "\w" and more; name another$/;
  assert.throws(() => judge(root), holds);
  assert.throws(() => judge("/"), CommandError);
});

test("what others keep under our names does not make a directory ours", (t) => {
  const root = scratch(t);
  mkdirSync(path.join(root, "cri"));
  mkdirSync(path.join(root, "nodes", "0"), { recursive: true });
  writeFileSync(path.join(root, "instance.json"), "{}");
  writeFileSync(path.join(root, "letter.txt"), "");
  assert.throws(() => judge(root), /"letter\.txt"/);
});

test("a directory is ours if it is absent or empty, or Nephos has run in it", (t) => {
  const root = scratch(t);
  judge(path.join(root, "absent"));
  judge(root);
  for (const name of ["store", "pki", "registries.yaml"]) mkdirSync(path.join(root, name));
  judge(root);
  writeFileSync(path.join(root, "agents.yaml"), "");
  assert.throws(() => judge(root), /"agents\.yaml"/);
  const record = { version: "", server: "", startedAtMs: 0, processes: [], nodes: [] };
  writeInstance(path.join(root, "instance.json"), record);
  judge(root);
  rmSync(path.join(root, "instance.json"));
  mkdirSync(path.join(root, "cri", "runtime"), { recursive: true });
  judge(root);
});

test("an empty path is no data directory, and one that cannot be made is refused at once", () => {
  assert.throws(() => parseUpOptions(["--data-dir", ""]), /^CommandError: --data-dir must be/);
  assert.throws(() => openDataDirectory("/proc/nephos/data", { create: true }), /ENOENT/);
});

test("every path of the layout has a name that is known as Nephos's own", (t) => {
  const directory = openDataDirectory(scratch(t), { create: false });
  const { state, manifests } = directory.node(1);
  const paths = [state, manifests, directory.node(0).manifests, directory.cri.state];
  for (const one of Object.values(directory)) if (typeof one === "string") paths.push(one);
  const below = paths.filter((one) => one.startsWith(`${directory.root}/`));
  const names = below.map((one) => path.relative(directory.root, one).split("/")[0] ?? "");
  assert.ok(names.length >= 10);
  assert.deepEqual(
    names.filter((name) => !OWN_NAMES.has(name)),
    [],
  );
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { allControllers, controllersDoc } from "./controllers-doc.ts";

const root = path.resolve(import.meta.dirname, "../../..");

test("docs/controllers.md is what the controllers declare", () => {
  const wanted = controllersDoc(allControllers(), path.join(root, "src/controllers"));
  const found = readFileSync(path.join(root, "docs/controllers.md"), "utf8");
  assert.ok(found === wanted, "run npm run generate:controllers");
});

test("every controller declares what it sees and has a name of its own", () => {
  const definitions = allControllers();
  assert.ok(definitions.length > 40);
  assert.equal(new Set(definitions.map(({ name }) => name)).size, definitions.length);
  for (const { name, inputs } of definitions) assert.ok(Object.keys(inputs).length > 0, name);
});

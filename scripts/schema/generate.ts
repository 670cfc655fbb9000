// Writes src/api/generated from the Go type declarations of Debian's Kubernetes packages.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { generatedFiles } from "./generated-files.ts";
import { fetchSources } from "./sources.ts";

const folder = path.resolve(import.meta.dirname, "../../../src/api/generated");
const files = generatedFiles(fetchSources());
rmSync(folder, { recursive: true, force: true });
for (const [name, text] of files) {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}
process.stdout.write(`wrote ${files.size} files\n`);

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { LAYERS, NODE_FREE_LAYERS, SIBLING_LAYERS } from "./layers.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const IMPORT = /(?:from|import)\s*\(?\s*"([^"]+)"/g;
const LINES_MAX = 600;
const COLUMNS_MAX = 100;
const BANNED_FILE_NAMES = /^(utils?|helpers?|common|misc|index)\.ts$/;

interface Module {
  file: string;
  text: string;
}

function sourcesUnder(folder: string): Module[] {
  if (!existsSync(path.join(ROOT, folder))) return [];
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes("generated"))
    .map((name) => path.posix.join(folder, name))
    .filter((file) => statSync(path.join(ROOT, file)).isFile())
    .map((file) => ({ file, text: readFileSync(path.join(ROOT, file), "utf8") }));
}

/** Every import of `module` that its row of the layer table does not allow. */
function layerViolations(module: Module): string[] {
  const [, layer = "", folder = ""] = module.file.split("/");
  const allowed = LAYERS[layer];
  if (!allowed) return [`${module.file}: "${layer}" is not a layer`];
  const violations: string[] = [];
  for (const [, target = ""] of module.text.matchAll(IMPORT)) {
    if (target.startsWith("node:") && NODE_FREE_LAYERS.includes(layer)) {
      if (!/\.(test|fuzz|bench)\.ts$/.test(module.file))
        violations.push(`${module.file}: ${target}`);
    }
    if (!target.startsWith(".")) continue;
    const resolved = path.posix.join(path.posix.dirname(module.file), target);
    const [, otherLayer = "", otherFolder = "", ...rest] = resolved.split("/");
    if (!resolved.startsWith("src/")) continue;
    if (otherLayer !== layer && !allowed.includes(otherLayer)) {
      violations.push(`${module.file}: may not import layer "${otherLayer}" (${target})`);
    }
    const sibling = otherLayer === layer && rest.length > 0 && otherFolder !== folder;
    const wired = !module.file.split("/")[3];
    if (SIBLING_LAYERS.includes(layer) && sibling && !wired && rest.at(-1) !== "contract.ts") {
      violations.push(
        `${module.file}: sees sibling "${otherFolder}" only by contract.ts (${target})`,
      );
    }
  }
  return violations;
}

test("every import points down the layers", () => {
  const modules = sourcesUnder("src");
  assert.ok(modules.length > 5, `saw only ${modules.length} modules`);
  assert.deepEqual(modules.flatMap(layerViolations), []);
});

test("a planted violation is seen", () => {
  const planted = (file: string, target: string) =>
    layerViolations({ file, text: `import { x } from "${target}";` }).length;
  assert.equal(planted("src/controllers/job/job.ts", "../../store/store.ts"), 1);
  assert.equal(planted("src/controllers/job/job.ts", "../pod/pod.ts"), 1);
  assert.equal(planted("src/controllers/job/job.ts", "../pod/contract.ts"), 0);
  assert.equal(planted("src/lib/clock.ts", "node:fs"), 1);
  assert.equal(planted("src/client/informer.ts", "../api/resource.ts"), 0);
});

test("files are one idea: bounded in lines and columns, and named for what they hold", () => {
  const rough: string[] = [];
  for (const folder of ["src", "test", "bench", "scripts"]) {
    for (const { file, text } of sourcesUnder(folder)) {
      const lines = text.split("\n");
      if (lines.length > LINES_MAX)
        rough.push(`${file}: ${lines.length} lines, at most ${LINES_MAX}`);
      if (BANNED_FILE_NAMES.test(path.basename(file))) rough.push(`${file}: name says nothing`);
      lines.forEach((line, at) => {
        if (line.length > COLUMNS_MAX && !/https?:\/\/|^\s*\/\/|`|"/.test(line)) {
          rough.push(`${file}:${at + 1}: ${line.length} columns, at most ${COLUMNS_MAX}`);
        }
      });
    }
  }
  assert.deepEqual(rough, []);
});

test("time, randomness and FFI stay in their adapters", () => {
  const banned: [RegExp, RegExp, string][] = [
    [/\bDate\.now\(|(?<!\.)\b(setTimeout|setInterval)\(/, /^src\/(cmd|sys)\//, "inject a Clock"],
    [/\bMath\.random\(/, /^src\/(cmd|sys)\//, "inject a Random"],
    [/from "koffi"/, /^src\/sys\//, "FFI lives in sys"],
  ];
  const found = sourcesUnder("src")
    .filter(({ file }) => !/\.(test|bench|fuzz)\.ts$/.test(file))
    .flatMap(({ file, text }) =>
      banned
        .filter(([pattern, home]) => pattern.test(text) && !home.test(file))
        .map(([, , advice]) => `${file}: ${advice}`),
    );
  assert.deepEqual(found, []);
});

/** Rows of the tables of a page, without heads and rules. */
function rowsOf(page: string): string[] {
  const lines = readFileSync(path.join(ROOT, page), "utf8").split("\n");
  return lines.filter((line) => line.startsWith("| ") && !/^\| (Claim|---)/.test(line));
}

test("every promise of the API names tests that exist, or says that it is not held", () => {
  const rows = rowsOf("docs/conformance/api-checklist.md");
  assert.ok(rows.length > 80, `saw only ${rows.length} rows`);
  const loose = rows.flatMap((row) => {
    const [, , held = "", remark = ""] = row.split("|").map((cell) => cell.trim());
    const files = [...held.matchAll(/`([^`]+)`/g)].map(([, file = ""]) => file);
    if (files.length === 0 && !remark.startsWith("Not held: ")) return [`no test: ${row}`];
    return files.filter((file) => !existsSync(path.join(ROOT, file)));
  });
  assert.deepEqual(loose, []);
});

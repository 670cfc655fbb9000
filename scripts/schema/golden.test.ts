import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { builtInModel } from "../../src/api/schema/built-in-model.ts";
import { createDecoder } from "../../src/api/schema/decode.ts";
import { encodeCanonical } from "../../src/format/json-canonical.ts";
import { decodeJson } from "../../src/format/json-decode.ts";
import { decodeYaml } from "../../src/format/yaml-decode.ts";
import { sourceFolder } from "./sources.ts";

const sources = sourceFolder();
const skip = sources ? false : "the packages with the golden files are not in the cache";

interface Golden {
  file: string;
  struct: string;
}

const model = builtInModel();

/** Files of the stable kinds that the model has. `WatchEvent` is no kind but a frame. */
function goldenFiles(): Golden[] {
  const folder = path.join(sources ?? "", "k8s.io/api/testdata/HEAD");
  return readdirSync(folder).flatMap((name) => {
    const match = /^(.*)\.(v\d+)\.(\w+)\.json$/.exec(name);
    if (!match || match[3] === "WatchEvent") return [];
    const [, group = "", version = "", kind = ""] = match;
    const root = model.root({ group: group === "core" ? "" : group, version, kind });
    assert.ok(root, `the model has no ${name}`);
    return [{ file: path.join(folder, name), struct: root.name }];
  });
}

test("every golden object decodes strictly and encodes to the same value", { skip }, () => {
  const decoder = createDecoder(model);
  const files = goldenFiles();
  for (const { file, struct } of files) {
    const bytes = readFileSync(file);
    const { value, duplicates } = decodeJson(bytes);
    const { object, unknownFields, errors } = decoder.decode(struct, value);
    assert.deepEqual([duplicates, unknownFields, errors], [[], [], []], file);
    const wanted = JSON.parse(bytes.toString()) as { metadata?: { resourceVersion?: string } };
    delete wanted.metadata?.resourceVersion;
    const encoded = JSON.parse(encodeCanonical(object).toString()) as typeof wanted;
    assert.deepEqual({ metadata: {}, ...encoded }, { metadata: {}, ...wanted }, file);
  }
  assert.ok(files.length > 75, `${files.length} files`);
});

test("every golden object reads the same from YAML", { skip }, () => {
  for (const { file } of goldenFiles()) {
    const { value, duplicates } = decodeYaml(readFileSync(file.replace(/json$/, "yaml"), "utf8"));
    assert.deepEqual(duplicates, []);
    assert.deepEqual(value, decodeJson(readFileSync(file)).value, file);
  }
});

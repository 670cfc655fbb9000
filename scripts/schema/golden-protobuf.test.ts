import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { builtInModel } from "../../src/api/schema/built-in-model.ts";
import { createDecoder } from "../../src/api/schema/decode.ts";
import { ProtobufDecoder } from "../../src/apiserver/codec/protobuf-decoder.ts";
import { encodeCanonical } from "../../src/format/json-canonical.ts";
import { sourceFolder } from "./sources.ts";

const sources = sourceFolder();
const skip = sources ? false : "the packages with the golden files are not in the cache";

/** JSON of arbitrary shape has message types of its own, which no client sends as protobuf. */
const NOT_PROTOBUF = /CustomResourceDefinition|ConversionReview|WatchEvent/;

test("golden protobuf decodes to the same object as golden JSON", { skip }, () => {
  const model = builtInModel();
  const decoder = createDecoder(model);
  const protobuf = new ProtobufDecoder(model);
  const folder = path.join(sources ?? "", "k8s.io/api/testdata/HEAD");
  let seen = 0;
  for (const name of readdirSync(folder)) {
    const match = /^(.*)\.(v\d+)\.(\w+)\.pb$/.exec(name);
    if (!match || NOT_PROTOBUF.test(name)) continue;
    const [, group = "", version = "", kind = ""] = match;
    const root = model.root({ group: group === "core" ? "" : group, version, kind });
    assert.ok(root, name);
    const file = path.join(folder, name);
    const fromProtobuf = decoder.decode(root.name, protobuf.decode(readFileSync(file)));
    assert.deepEqual([fromProtobuf.unknownFields, fromProtobuf.errors], [[], []], name);
    const json: unknown = JSON.parse(readFileSync(file.replace(/pb$/, "json"), "utf8"));
    const fromJson = decoder.decode(root.name, json);
    const plain = (object: Record<string, unknown>): unknown =>
      JSON.parse(encodeCanonical(object).toString());
    assert.deepEqual(plain(fromProtobuf.object), plain(fromJson.object), name);
    seen++;
  }
  assert.ok(seen > 60, `${seen} files`);
});

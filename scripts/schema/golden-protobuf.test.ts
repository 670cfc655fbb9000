import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { builtInModel } from "../../src/api/schema/built-in-model.ts";
import { createDecoder } from "../../src/api/schema/decode.ts";
import { ProtobufDecoder } from "../../src/apiserver/codec/protobuf-decoder.ts";
import { ProtobufEncoder } from "../../src/apiserver/codec/protobuf-encoder.ts";
import { encodeCanonical } from "../../src/format/json-canonical.ts";
import { decodeJson } from "../../src/format/json-decode.ts";
import { sourceFolder } from "./sources.ts";

const sources = sourceFolder();
const skip = sources ? false : "the packages with the golden files are not in the cache";

/** Frames of a watch, which is no kind and has an envelope of its own. */
const NOT_A_KIND = /\.WatchEvent\./;

interface Golden {
  name: string;
  group: string;
  version: string;
  kind: string;
  protobuf: Buffer;
  json: Buffer;
}

function goldenFiles(): Golden[] {
  const folder = path.join(sources ?? "", "k8s.io/api/testdata/HEAD");
  const files = readdirSync(folder).flatMap((name) => {
    const match = /^(.*)\.(v\d+)\.(\w+)\.pb$/.exec(name);
    if (!match || NOT_A_KIND.test(name)) return [];
    const [, group = "", version = "", kind = ""] = match;
    const file = path.join(folder, name);
    const protobuf = readFileSync(file);
    const json = readFileSync(file.replace(/pb$/, "json"));
    return [{ name, group: group === "core" ? "" : group, version, kind, protobuf, json }];
  });
  assert.ok(files.length > 75, `${files.length} files`);
  return files;
}

test("golden protobuf decodes to the object of golden JSON, and encodes again", { skip }, () => {
  const model = builtInModel();
  const decoder = createDecoder(model);
  const protobuf = new ProtobufDecoder(model);
  const encoder = new ProtobufEncoder(model);
  for (const { name, group, version, kind, ...golden } of goldenFiles()) {
    const root = model.root({ group, version, kind });
    assert.ok(root, name);
    const fromProtobuf = decoder.decode(root.name, protobuf.decode(golden.protobuf));
    assert.deepEqual([fromProtobuf.unknownFields, fromProtobuf.errors], [[], []], name);
    const fromJson = decoder.decode(root.name, JSON.parse(golden.json.toString()));
    const plain = (object: Record<string, unknown>): unknown =>
      JSON.parse(encodeCanonical(object).toString());
    assert.deepEqual(plain(fromProtobuf.object), plain(fromJson.object), name);
    assert.ok(encoder.encode(fromProtobuf.object).equals(golden.protobuf), name);
  }
});

test("golden JSON encodes to the bytes of golden protobuf", { skip }, () => {
  const model = builtInModel();
  const encoder = new ProtobufEncoder(model);
  for (const { name, protobuf, json } of goldenFiles()) {
    const encoded = encoder.encode(decodeJson(json).value as object);
    assert.equal(encoded.toString("latin1"), protobuf.toString("latin1"), name);
  }
});

import assert from "node:assert/strict";
import { StatusError } from "../../../src/api/errors.ts";
import { builtInModel } from "../../../src/api/schema/built-in-model.ts";
import { createDecoder } from "../../../src/api/schema/decode.ts";
import { ProtobufDecoder } from "../../../src/apiserver/codec/protobuf-decoder.ts";
import { ProtobufEncoder } from "../../../src/apiserver/codec/protobuf-encoder.ts";
import { exactJson } from "../../../src/format/json-text.ts";
import { decodeJson } from "../../../src/format/json-decode.ts";
import { copyJson } from "../../../src/lib/json-copy.ts";
import { type AnyTarget, bytesTarget, jsonTarget } from "../fuzz-target.ts";
import { SAMPLE_OBJECTS } from "./sample-objects.ts";

type Json = Record<string, unknown>;

/** Decoding of objects by their schemas, from JSON and from protobuf. */
export function objectTargets(): readonly AnyTarget[] {
  const model = builtInModel();
  const decoder = createDecoder(model);
  const protobuf = { decoder: new ProtobufDecoder(model), encoder: new ProtobufEncoder(model) };

  const structOf = (object: Json): string | undefined => {
    const { apiVersion, kind } = object;
    if (typeof apiVersion !== "string" || typeof kind !== "string") return undefined;
    const [version = "", group = ""] = apiVersion.split("/").toReversed();
    return model.root({ group, version, kind })?.name;
  };

  /** What a kind's decoder makes of a value, unless it objects. */
  const decoded = (object: Json, struct: string): Json | undefined => {
    const result = decoder.decode(struct, copyJson(object));
    return result.errors.length > 0 ? undefined : result.object;
  };

  /** An accepted object is read again as the same, also by way of protobuf. */
  const assertStable = (object: Json, struct: string): void => {
    const written = exactJson(object);
    const again = decoded(decodeJson(Buffer.from(written)).value as Json, struct);
    assert.equal(exactJson(again), written, "JSON that was written reads as something else");
    const bytes = protobuf.encoder.encode(object);
    const back = decoded(protobuf.decoder.decode(bytes), struct);
    assert.deepEqual(back && normalized(back), normalized(object));
    assert.ok(protobuf.encoder.encode(back ?? {}).equals(bytes), "protobuf encodes differently");
  };

  return [
    jsonTarget({
      name: "objects in JSON",
      cost: 3,
      seeds: SAMPLE_OBJECTS,
      refusals: [StatusError],
      run: (input) => {
        const object = (decodeJson(Buffer.from(exactJson(input))).value ?? {}) as Json;
        const struct = structOf(object);
        const accepted = struct && decoded(object, struct);
        if (accepted) assertStable(accepted, struct);
      },
    }),
    bytesTarget({
      name: "objects in protobuf",
      seeds: SAMPLE_OBJECTS.map((object) => protobuf.encoder.encode(object)),
      refusals: [StatusError],
      run: (bytes) => {
        const object = protobuf.decoder.decode(bytes);
        const struct = structOf(object);
        const accepted = struct && decoded(object, struct);
        if (accepted) assertStable(accepted, struct);
      },
    }),
  ];
}

/** Without what protobuf cannot tell apart: empty and absent, and the order of members. */
function normalized(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(normalized);
  const entries = Object.entries(value)
    .map(([key, inner]) => [key, normalized(inner)] as const)
    .filter(([, inner]) => !isEmpty(inner))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === "" || value === 0 || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

import type { CommonSpec } from "../../api/common-spec.ts";
import { StatusError } from "../../api/errors.ts";
import type { Resource } from "../../api/resource.ts";
import type { Decoder } from "../../api/schema/decode.ts";
import { ChangeEncoder } from "../../format/change-encoder.ts";
import { encodeCanonical, encodeWithManagers } from "../../format/json-canonical.ts";
import { decodeJson } from "../../format/json-decode.ts";
import { exactJson, type KnownText } from "../../format/json-text.ts";
import { JsonSyntaxError } from "../../format/json-parser.ts";
import { copyJson } from "../../lib/json-copy.ts";
import type { KubeObject } from "../kube-object.ts";
import type { Body } from "./body.ts";
import type { Codec, DecodeOptions } from "./codec.ts";
import { checkKind } from "./check-kind.ts";
import { reportObjections } from "./strict-reading.ts";
import { unparsed } from "./unrecognized.ts";

/** Values of the body, owned by the caller, and the keys that stand twice in it. */
function readValue(
  resource: Resource,
  body: Body,
): { value: unknown; duplicates: readonly string[] } {
  if (body.kind === "value") {
    return { value: copyJson(body.value), duplicates: body.duplicates ?? [] };
  }
  if (body.kind === "none" || body.bytes.byteLength === 0) {
    throw unparsed(resource, body, "unexpected end of JSON input");
  }
  try {
    return decodeJson(body.bytes);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw unparsed(resource, body, error.message);
  }
}

function noObject(resource: Resource, body: Body, value: unknown): StatusError {
  const found = Array.isArray(value) ? "array" : typeof value;
  const go = found === "boolean" ? "bool" : found;
  return unparsed(
    resource,
    body,
    `json: cannot unmarshal ${go} into Go value of type struct { APIVersion string ` +
      '"json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }',
  );
}

/** What the codec of a built-in kind is made of. */
export interface SchemaCodecParts {
  resource: Resource;
  decoder: Decoder;
  /** Custom resources are told apart by other words. */
  custom?: boolean;
  /** Name of the kind's type in the model. */
  struct: string;
  setDefaults(object: KubeObject): void;
}

/** The codec of a kind with a schema. */
export function schemaCodec(parts: SchemaCodecParts): Codec {
  const { resource, custom = false, decoder, struct, setDefaults } = parts;
  const changes = new ChangeEncoder();
  const read = (body: Body, options: DecodeOptions): KubeObject => {
    const { value: read, duplicates } = readValue(resource, body);
    const value = read ?? {};
    if (typeof value !== "object" || Array.isArray(value)) throw noObject(resource, body, value);
    if (!options.isPart) checkKind(resource, value as Record<string, unknown>, { body, custom });
    const { object, unknownFields, errors } = decoder.decode(struct, value);
    if (errors.length > 0) {
      const why = errors.join(", ");
      throw new StatusError(
        "BadRequest",
        `${resource.kind} in version "${resource.version}" cannot be handled as a ` +
          `${resource.kind}: ${why}`,
      );
    }
    if (unknownFields.length > 0 && options.refuseUnknown) {
      throw options.refuseUnknown(unknownFields);
    }
    reportObjections({ duplicates, unknownFields }, { body, custom, options });
    object["metadata"] ??= {};
    return object as KubeObject;
  };
  return {
    read,
    decode: (body, options) => {
      const object = read(body, options);
      setDefaults(object);
      return object;
    },
    setDefaults,
    encode: (object, { common, managers, from } = {}) => {
      if (!managers || common) return encodeCanonical(object, common && textsOf(common));
      const changed = from && changes.encode({ ...from, after: object, managers });
      return changed ?? encodeWithManagers(object, managers);
    },
  };
}

function textsOf(common: CommonSpec): readonly KnownText[] {
  const { spec, fields } = common;
  const values = fields ? [spec, fields] : [spec];
  if (common.texts?.length !== values.length) {
    common.texts = values.map((value) => ({ value, json: exactJson(value) }));
  }
  return common.texts;
}

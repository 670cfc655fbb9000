import type { Body } from "../codec/body.ts";
import { createDecoder } from "../../api/schema/decode.ts";
import type { SchemaModel } from "../../api/schema/model.ts";
import type { Codec } from "../codec/codec.ts";
import { schemaCodec } from "../codec/schema-codec.ts";
import { asObject, type KubeObject } from "../kube-object.ts";
import { parseRawBody } from "../raw-body.ts";
import type { Call } from "../rest/call.ts";
import { fieldValidationOf } from "../rest/decode-body.ts";

/** Kinds that only subresources are written as. */
const KINDS = {
  Binding: { group: "", version: "v1", kind: "Binding" },
  Eviction: { group: "policy", version: "v1", kind: "Eviction" },
  Scale: { group: "autoscaling", version: "v1", kind: "Scale" },
  TokenRequest: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
} as const;

/** A kind of body that is not the kind of the object it is about. */
export type BodyKind = keyof typeof KINDS;

/** An earlier version of an eviction, which says the same. */
const EVICTION_BEFORE = "policy/v1beta1";

/** Reads such bodies as strictly as the request wants. @throws StatusError BadRequest */
export type BodyReader = (
  call: Call,
  kind: BodyKind,
  /** The result of a patch, in place of the body, and what the patch was objected to for. */
  patched?: { value: object; objections: readonly string[] },
) => KubeObject;

export function createBodyReader(model: SchemaModel): BodyReader {
  const decoder = createDecoder(model);
  const codecs = new Map<BodyKind, Codec>();
  const codecOf = (kind: BodyKind): Codec => {
    let codec = codecs.get(kind);
    if (!codec) {
      const root = model.root(KINDS[kind]);
      if (!root) throw new RangeError(`Cannot read ${kind}: the model does not have it`);
      const resource = { ...KINDS[kind], plural: "", singular: "", namespaced: true };
      codec = schemaCodec({ resource, decoder, struct: root.name, setDefaults: () => {} });
      codecs.set(kind, codec);
    }
    return codec;
  };
  return (call, kind, patched) => {
    const { body } = call;
    // What parts of this process or readers of protobuf say is of the kind.
    if (!patched && body.kind === "value" && !body.duplicates) return asObject(parseRawBody(body));
    const read: Body = patched
      ? { kind: "value", value: patched.value, contentType: "" }
      : kind === "Eviction"
        ? asCurrent(body)
        : body;
    return codecOf(kind).read(read, {
      fieldValidation: fieldValidationOf(call),
      warn: call.warn,
      ...(patched ? { inPatch: patched.objections } : {}),
    });
  };
}

/** Of an eviction in its earlier version the version alone is another. */
function asCurrent(body: Body): Body {
  const value = parseRawBody(body);
  if (value["apiVersion"] !== EVICTION_BEFORE) return body;
  return { kind: "value", value: { ...value, apiVersion: "policy/v1" }, contentType: "" };
}

import { notTyped } from "../../api/apply/applied-check.ts";
import { APPLY_PATCH, applyPatch } from "../../api/patch/apply-patch.ts";
import { StatusError } from "../../api/errors.ts";
import { goPlain } from "../../api/validation/go-text.ts";
import { copyJson } from "../../lib/json-copy.ts";
import type { Engine } from "../engine.ts";
import { apiVersionOf } from "../../api/resource.ts";
import type { DecodeOptions } from "../codec/codec.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
import { parseRawBody } from "../raw-body.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { Answer, Call } from "./call.ts";
import { insertObject } from "./create.ts";
import { fieldValidationOf } from "./decode-body.ts";
import { invalidPatch, readPatch, reportRepeatedKeys } from "./strict-patch.ts";
import { checkPath, type UpdateScope, updateObject } from "./update.ts";

/** A configuration that is applied: what it says to the letter, and what objects keep of it. */
interface Applied {
  applied: KubeObject;
  values: KubeObject;
}

const STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json";

/** PATCH of an object or of one of its subresources. */
export function patchObject(engine: Engine, call: Call, scope?: UpdateScope): Promise<Answer> {
  const type = call.body.kind === "none" ? "" : call.body.contentType;
  if (type === APPLY_PATCH) return applyObject(engine, call, scope);
  const { served } = call;
  // The schema of a custom resource says nothing of merge keys: a strategic patch is refused.
  const struct = served.custom ? undefined : served.struct;
  // What is not there is not found, be the patch readable or not.
  let read: ReturnType<typeof readPatch> | undefined;
  return updateObject(engine, call, {
    wanted: (object) => {
      if (call.body.kind === "none") {
        throw new StatusError("BadRequest", "the request needs a body");
      }
      read ??= readPatch(call.body);
      const { patch, objections } = read;
      const decode = {
        fieldValidation: fieldValidationOf(call),
        warn: call.warn,
        inPatch: objections,
      };
      const patched = (from: KubeObject, options: DecodeOptions) => {
        const value = applyPatch({ type, patch, object: from, model: served.model, struct });
        try {
          return decodePatched(served, value, { object: from, decode: options });
        } catch (error) {
          // Upstream prints the patch itself only where it is not applied to text.
          const isStrategic = type === STRATEGIC_MERGE_PATCH;
          throw invalidPatch(error, isStrategic ? goPlain(patch) : JSON.stringify(value));
        }
      };
      return served.custom
        ? ofServedFields(served, object, { patched, decode })
        : patched(object, decode);
    },
    patched: true,
    ...(scope ? { scope } : {}),
  });
}

/**
 * What a patch makes of a custom object. The fields that its definition had once and has no more
 * are not the patch's: where any are found, it is applied to the object without them.
 */
function ofServedFields(
  { codec }: ServedResource,
  object: KubeObject,
  of: {
    patched(from: KubeObject, options: DecodeOptions): KubeObject;
    decode: DecodeOptions;
  },
): KubeObject {
  const { patched, decode } = of;
  const unknown = new Error("the kind has no such fields");
  try {
    return patched(object, { ...decode, refuseUnknown: () => unknown });
  } catch (error) {
    if (error !== unknown) throw error;
  }
  const body = { kind: "value", value: object, contentType: "" } as const;
  const served = codec.read(body, { fieldValidation: "Ignore", warn: () => {} });
  return patched(served, decode);
}

/**
 * What a patch made of an object, as its type. What it left alone is of that type already, and is
 * not read again: most of the object, with the managers of its fields, of which few patches speak.
 */
function decodePatched(
  served: ServedResource,
  value: Record<string, unknown>,
  { object, decode }: { object: KubeObject; decode: DecodeOptions },
): KubeObject {
  const { codec, custom, keepsParts } = served;
  // The type of a custom resource may be another one by now; and this name, only readers can take.
  const readsAll = custom || Object.hasOwn(value, "__proto__");
  const { managedFields } = object.metadata;
  const { apiVersion, kind, metadata } = value;
  const isSame = metadata === object.metadata && kind === object.kind;
  if (keepsParts && !readsAll && isSame && apiVersion === object.apiVersion) {
    return decodeParts(served, value, { object, decode });
  }
  const changed: Record<string, unknown> = readsAll ? { ...value } : { apiVersion, kind };
  for (const name in value) {
    if (value[name] !== object[name] && !readsAll) changed[name] = value[name];
  }
  const keepsManagers =
    managedFields !== undefined && fieldOf(value, "metadata")["managedFields"] === managedFields;
  const keepsMeta = !readsAll && value["metadata"] === object.metadata;
  if (keepsMeta || !keepsManagers) changed["metadata"] = keepsMeta ? {} : value["metadata"];
  else changed["metadata"] = without(fieldOf(value, "metadata"), "managedFields");
  const read = codec.read({ kind: "value", value: changed, contentType: "" }, decode);
  const copy = keepsParts ? <T>(part: T): T => part : copyJson;
  const patched = {} as KubeObject;
  for (const name in value) {
    if (name === "metadata") patched.metadata = keepsMeta ? copyMeta(object, copy) : read.metadata;
    else if (!Object.hasOwn(changed, name)) patched[name] = copy(value[name]);
    else if (Object.hasOwn(read, name)) patched[name] = read[name];
  }
  patched.apiVersion = read.apiVersion as string;
  patched.kind = read.kind as string;
  patched.metadata ??= read.metadata;
  if (keepsManagers) patched.metadata.managedFields = managedFields;
  codec.setDefaults(patched);
  return patched;
}

/** The same where the metadata stays: all but what was read anew, which is little, is shared. */
function decodeParts(
  { codec }: ServedResource,
  value: Record<string, unknown>,
  { object, decode }: { object: KubeObject; decode: DecodeOptions },
): KubeObject {
  const changed: Record<string, unknown> = {};
  for (const name in value) if (value[name] !== object[name]) changed[name] = value[name];
  const asked = Object.keys(changed);
  const body = { kind: "value", value: changed, contentType: "" } as const;
  const read = codec.read(body, { ...decode, isPart: true });
  const patched: KubeObject = { ...value, metadata: { ...object.metadata } };
  for (const name of asked) {
    if (Object.hasOwn(read, name)) patched[name] = read[name];
    else delete patched[name];
  }
  codec.setDefaults(patched);
  return patched;
}

/** Metadata that may be changed, without the managers. */
function copyMeta({ metadata }: KubeObject, copy: <T>(part: T) => T): KubeObject["metadata"] {
  const copied: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(metadata)) {
    if (name !== "managedFields") copied[name] = copy(part);
  }
  return copied;
}

function without(object: Record<string, unknown>, name: string): Record<string, unknown> {
  const { [name]: _, ...others } = object;
  return others;
}

/**
 * The configuration, without defaults: the manager owns what it wrote and no more.
 * @throws StatusError BadRequest, also for fields that nobody could own
 */
function readApplied(call: Call): Applied {
  const { served } = call;
  const configuration = parseRawBody(call.body);
  if (!configuration["apiVersion"]) {
    throw new StatusError(
      "BadRequest",
      "Incorrect version specified in apply patch. " +
        `Specified patch version: , expected: ${apiVersionOf(served.resource)}`,
    );
  }
  const values = served.codec.read(call.body, {
    fieldValidation: "Ignore",
    warn: call.warn,
    refuseUnknown: (paths) => notDeclared(configuration, paths),
  });
  reportRepeatedKeys(call);
  checkPath(call, values, { nameless: true });
  return { applied: configuration as unknown as KubeObject, values };
}

/** Nobody can own a field that there is not. */
function notDeclared(
  configuration: Record<string, unknown>,
  paths: readonly string[],
): StatusError {
  const complaints = paths.map((path) => `.${path}: field not declared in schema`);
  const [only] = complaints;
  const why = complaints.length === 1 ? only : ["errors:", ...complaints].join("\n  ");
  return new StatusError("BadRequest", `${notTyped(configuration)}${why}`);
}

/** Server-side apply: merges by field ownership, and creates what does not exist. */
async function applyObject(engine: Engine, call: Call, scope?: UpdateScope): Promise<Answer> {
  const { served, target } = call;
  const configuration = readApplied(call);
  return updateObject(engine, call, {
    wanted: (old) => engine.apply(call, { ...configuration, old }),
    managed: true,
    ...(scope ? { scope } : {}),
    create: async () => {
      const object = engine.apply(call, configuration);
      checkPath(call, object);
      if (served.resource.namespaced && target.namespace) {
        object.metadata.namespace ??= target.namespace;
      }
      return insertObject(engine, call, object, { managed: true });
    },
  });
}

import { notTyped } from "../../api/apply/applied-check.ts";
import { APPLY_PATCH, applyPatch } from "../../api/patch/apply-patch.ts";
import { StatusError } from "../../api/errors.ts";
import { goPlain } from "../../api/validation/go-text.ts";
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

/** A configuration that is applied: what it says, and the values that objects keep of it. */
interface Applied {
  applied: KubeObject;
  values: KubeObject;
}

const STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json";

/** PATCH of an object or of one of its subresources. */
export async function patchObject(
  engine: Engine,
  call: Call,
  scope?: UpdateScope,
): Promise<Answer> {
  if (call.body.kind === "none") throw new StatusError("BadRequest", "the request needs a body");
  const type = call.body.contentType;
  if (type === APPLY_PATCH) return applyObject(engine, call, scope);
  const { served } = call;
  // The schema of a custom resource says nothing of merge keys: a strategic patch is refused.
  const struct = served.custom ? undefined : served.struct;
  const { patch, objections } = readPatch(call.body);
  const decode = {
    fieldValidation: fieldValidationOf(call),
    warn: call.warn,
    inPatch: objections,
  };
  return await updateObject(engine, call, {
    wanted: (object) => {
      const value = applyPatch({ type, patch, object, model: served.model, struct });
      try {
        return decodePatched(served, value, { object, decode });
      } catch (error) {
        // Upstream prints the patch itself only where it is not applied to text.
        const isStrategic = type === STRATEGIC_MERGE_PATCH;
        throw invalidPatch(error, isStrategic ? goPlain(patch) : JSON.stringify(value));
      }
    },
    patched: true,
    ...(scope ? { scope } : {}),
  });
}

/**
 * What a patch made of an object, as its type. The managers of its fields, which few patches speak
 * of and which are often half of it, are those of the object, neither copied nor read again.
 */
function decodePatched(
  { codec }: ServedResource,
  value: Record<string, unknown>,
  of: { object: KubeObject; decode: DecodeOptions },
): KubeObject {
  const { managedFields } = of.object.metadata;
  const metadata = fieldOf(value, "metadata");
  if (!managedFields || metadata["managedFields"] !== managedFields) {
    return codec.decode({ kind: "value", value, contentType: "" }, of.decode);
  }
  const { managedFields: _, ...others } = metadata;
  const rest = { ...value, metadata: others };
  const patched = codec.decode({ kind: "value", value: rest, contentType: "" }, of.decode);
  patched.metadata.managedFields = managedFields;
  return patched;
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
  let hasEmpty = false;
  const applied = served.codec.read(call.body, {
    fieldValidation: "Ignore",
    warn: call.warn,
    keepEmpty: () => {
      hasEmpty = true;
    },
    refuseUnknown: (paths) => notDeclared(configuration, paths),
  });
  reportRepeatedKeys(call);
  checkPath(call, applied, { nameless: true });
  if (!hasEmpty) return { applied, values: applied };
  const body = { kind: "value", value: applied, contentType: "" } as const;
  const values = served.codec.read(body, { fieldValidation: "Ignore", warn: () => {} });
  return { applied, values };
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
      return insertObject(engine, call, object, { manage: (created) => created });
    },
  });
}

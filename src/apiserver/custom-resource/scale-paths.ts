import type { CustomResourceDefinitionVersion } from "../../api/generated/types/apiextensions-v1.ts";
import type { StatusCause } from "../../api/status.ts";
import type { KubeObject } from "../kube-object.ts";
import type { ScalePaths } from "../resource-registry.ts";

const INT32_MAX = 2_147_483_647;

/** The paths of a definition name fields one by one, with a leading dot. */
export function scalePathsOf({
  subresources,
}: CustomResourceDefinitionVersion): ScalePaths | undefined {
  const paths = subresources?.scale;
  if (!paths) return undefined;
  const namesIn = (path: string) => path.replace(/^\./, "").split(".");
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = paths;
  return {
    wanted: namesIn(specReplicasPath),
    actual: namesIn(statusReplicasPath),
    ...(labelSelectorPath ? { selector: namesIn(labelSelectorPath) } : {}),
  };
}

/** What a scale could not show, in the part of the object that the request changes. */
export function scaleProblems(
  { wanted, actual, selector }: ScalePaths,
  object: KubeObject,
  subresource: string | undefined,
): StatusCause[] {
  if (subresource !== "status") return numberProblems(object, wanted);
  return [...numberProblems(object, actual), ...(selector ? textProblems(object, selector) : [])];
}

function numberProblems(object: KubeObject, path: readonly string[]): StatusCause[] {
  const found = valueAt(object, path);
  if (typeof found === "string") return [problem(path, { shown: "0", why: found })];
  const { value = 0 } = found;
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    return [problem(path, { shown: "0", why: accessError(path, { value, wanted: "int64" }) })];
  }
  const shown = String(value);
  if (value < 0) return [problem(path, { shown, why: "should be a non-negative integer" })];
  if (value <= INT32_MAX) return [];
  return [problem(path, { shown, why: `should be less than or equal to ${INT32_MAX}` })];
}

function textProblems(object: KubeObject, path: readonly string[]): StatusCause[] {
  const found = valueAt(object, path);
  if (typeof found === "string") return [problem(path, { shown: '""', why: found })];
  const { value = "" } = found;
  if (typeof value === "string") return [];
  return [problem(path, { shown: '""', why: accessError(path, { value, wanted: "string" }) })];
}

function problem(
  path: readonly string[],
  { shown, why }: { shown: string; why: string },
): StatusCause {
  const message = `Invalid value: ${shown}: ${why}`;
  return { reason: "FieldValueInvalid", message, field: `.${path.join(".")}` };
}

/** The value of a path, absent or not; the complaint when the way to it leads through no object. */
function valueAt(object: object, path: readonly string[]): { value?: unknown } | string {
  let value: unknown = object;
  for (const name of path) {
    if (value === undefined || value === null) return {};
    if (typeof value !== "object" || Array.isArray(value)) {
      return accessError(path, { value, wanted: "map[string]interface{}" });
    }
    value = (value as Record<string, unknown>)[name];
  }
  return value === null ? {} : { value };
}

/** Worded as Go's accessors of untyped objects word it. */
function accessError(
  path: readonly string[],
  { value, wanted }: { value: unknown; wanted: string },
): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const found = `${text} is of the type ${goTypeOf(value)}`;
  return `.${path.join(".")} accessor error: ${found}, expected ${wanted}`;
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "object") return "map[string]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : "string";
}

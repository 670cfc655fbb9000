import type { CustomResourceColumnDefinition } from "../../api/generated/types/apiextensions-v1.ts";
import type { TableKind } from "../../api/table/table-kind.ts";
import { humanDuration } from "../../lib/human-duration.ts";
import type { KubeObject } from "../kube-object.ts";

const AGE: CustomResourceColumnDefinition = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
};

/** How rows of a custom resource are made from its `additionalPrinterColumns`. */
export function printerColumns(
  columns: readonly CustomResourceColumnDefinition[] | undefined,
): TableKind<KubeObject> {
  const definitions = columns?.length ? columns : [AGE];
  const readers = definitions.map(({ jsonPath }) => compilePath(jsonPath));
  return {
    columns: [
      { name: "Name", type: "string", format: "name", description: "", priority: 0 },
      ...definitions.map(({ name, type, format = "", description = "", priority = 0 }) => {
        const known = type === "integer" || type === "number" || type === "boolean";
        const shown = known || type === "date" ? type : "string";
        return { name, type: shown as "string", format, description, priority };
      }),
    ],
    cells: (object, { nowMs }) => [
      object.metadata.name ?? "",
      ...definitions.map(({ type }, at) => cellOf(readers[at]?.(object), { type, nowMs })),
    ],
  };
}

function cellOf(
  value: unknown,
  of: { type: string; nowMs: number },
): string | number | boolean | null {
  if (value === undefined || value === null) return of.type === "date" ? "<unknown>" : null;
  if (of.type === "date") {
    const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
    return Number.isNaN(time) ? "<invalid>" : humanDuration(of.nowMs - time);
  }
  if (typeof value === "number" || typeof value === "boolean") return value;
  return typeof value === "string" ? value : JSON.stringify(value);
}

type Reader = (value: unknown) => unknown;

const STEP =
  /\.([\w-]+)|\["?'?([^"'\]]+?)'?"?\]|\[\?\(@\.([\w.-]+)\s*==\s*["']([^"']*)["']\)\]|\.?\[(\d+|\*)\]/y;

/** Fields, indexes and `[?(@.a=="b")]` of JSONPath: what printer columns use. */
export function compilePath(path: string): Reader {
  const text = path.startsWith(".") || path.startsWith("[") ? path : `.${path}`;
  const steps: Reader[] = [];
  let at = 0;
  while (at < text.length) {
    const filter = /^\[\?\(@\.([\w.-]+)\s*==\s*["']([^"']*)["']\)\]/.exec(text.slice(at));
    if (filter) {
      const [whole, field = "", wanted] = filter;
      steps.push((value) => findItem(value, { field, wanted }));
      at += whole.length;
      continue;
    }
    STEP.lastIndex = at;
    const found = STEP.exec(text);
    if (!found) return () => undefined;
    const key = found[1] ?? found[2] ?? found[5] ?? "";
    steps.push((value) => member(value, key));
    at = STEP.lastIndex;
  }
  return (value) => steps.reduce((inner, step) => step(inner), value);
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) return key === "*" ? value[0] : value[Number(key)];
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

function findItem(value: unknown, of: { field: string; wanted: string | undefined }): unknown {
  if (!Array.isArray(value)) return undefined;
  const path = of.field.split(".");
  return (value as unknown[]).find((item) => {
    return path.reduce((inner, key) => member(inner, key), item) === of.wanted;
  });
}

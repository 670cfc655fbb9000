import { humanDuration } from "../../lib/human-duration.ts";
import type { LabelSelector, ObjectMeta } from "../generated/types/meta-v1.ts";
import type { Container } from "../generated/types/core-v1.ts";

/** `metav1.TableColumnDefinition`. */
export interface TableColumn {
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "date";
  /** "name" marks the column that identifies the object. */
  format: string;
  description: string;
  /** 0 is always shown, 1 only in wide output. */
  priority: number;
}

/** `metav1.TableRowCondition`. */
export interface RowCondition {
  type: "Completed";
  status: "True";
  reason: string;
  message: string;
}

export type Cell = string | number | boolean;

/** What a cell is computed from beside the object. */
export interface CellContext {
  nowMs: number;
}

/** How objects of a kind become rows; `cells` gives one value for each column, in order. */
export interface TableKind<T> {
  columns: readonly TableColumn[];
  cells(object: T, context: CellContext): (Cell | null)[];
  conditions?(object: T): RowCondition[];
}

export const NONE = "<none>";
export const UNKNOWN = "<unknown>";
export const UNSET = "<unset>";

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  Name: "Name of the object, unique within its kind and namespace",
  Age: "Time since the object was created",
  "Created At": "Time at which the object was created",
  Containers: "Names of the containers",
  Images: "Images of the containers",
  Selector: "Labels that select the pods",
};

/**
 * Column definitions from short texts: a name, `:type` unless it is a string, `*` for columns of
 * wide output. "Name" identifies the object.
 */
export function columnsOf(...texts: readonly string[]): TableColumn[] {
  return texts.map((text) => {
    const [, name = "", type = "string", wide] = /^([^:*]+)(?::(\w+))?(\*)?$/.exec(text) ?? [];
    return {
      name,
      type: type as TableColumn["type"],
      format: name === "Name" || name === "Attacher" ? "name" : "",
      description: DESCRIPTIONS[name] ?? `${name} as the object states it`,
      priority: wide ? 1 : 0,
    };
  });
}

/** Time since a timestamp, as users read it. */
export function since(time: string | undefined | null, { nowMs }: CellContext): string {
  if (!time) return UNKNOWN;
  const then = Date.parse(time);
  return Number.isNaN(then) ? UNKNOWN : humanDuration(nowMs - then);
}

/** The Age cell. */
export function ageOf(object: { metadata?: ObjectMeta }, context: CellContext): string {
  return since(object.metadata?.creationTimestamp, context);
}

/** The Name cell. */
export function nameOf(object: { metadata?: ObjectMeta }): string {
  return object.metadata?.name ?? "";
}

/** Names and images of containers. */
export function containerCells(containers: readonly Container[] = []): [string, string] {
  return [
    containers.map(({ name }) => name).join(","),
    containers.map(({ image }) => image ?? "").join(","),
  ];
}

/** `a=b,c=d` in the order of the keys. */
export function labelsCell(labels: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? NONE : keys.map((key) => `${key}=${labels?.[key]}`).join(",");
}

/** A selector as the query grammar writes it. */
export function selectorCell(selector: LabelSelector | undefined): string {
  if (!selector) return NONE;
  const terms = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    text: `${key}=${value}`,
  }));
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const list = `${operator === "In" ? "in" : "notin"} (${values.toSorted().join(",")})`;
    const unlisted = { Exists: key, DoesNotExist: `!${key}` }[operator];
    terms.push({ key, text: unlisted ?? `${key} ${list}` });
  }
  if (terms.length === 0) return NONE;
  terms.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return terms.map(({ text }) => text).join(",");
}

/** The first `max` texts and how many more there are. */
export function listCell(texts: readonly string[], max = 3): string {
  if (texts.length <= max) return texts.join(",");
  return `${texts.slice(0, max).join(",")} + ${texts.length - max} more...`;
}

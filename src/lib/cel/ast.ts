import type { Value } from "./values.ts";

/** A node of an expression. `at` is the offset in the text that messages point to. */
export type Node =
  | LiteralNode
  | IdentNode
  | SelectNode
  | CallNode
  | ListNode
  | MapNode
  | StructNode
  | FoldNode;

export interface LiteralNode {
  kind: "literal";
  at: number;
  value: Value;
}

export interface IdentNode {
  kind: "ident";
  at: number;
  name: string;
}

/** `target.field`; with `test` it is `has(target.field)`, with `optional` it is `target.?field`. */
export interface SelectNode {
  kind: "select";
  at: number;
  target: Node;
  field: string;
  test: boolean;
  optional: boolean;
}

/** A function or operator ("_+_"); methods have a target. */
export interface CallNode {
  kind: "call";
  at: number;
  name: string;
  target?: Node;
  args: Node[];
}

export interface ListNode {
  kind: "list";
  at: number;
  items: { value: Node; optional: boolean }[];
}

export interface MapNode {
  kind: "map";
  at: number;
  entries: { key: Node; value: Node; optional: boolean }[];
}

/** `Name{field: value}`. */
export interface StructNode {
  kind: "struct";
  at: number;
  name: string;
  fields: { name: string; value: Node }[];
}

/** Macros that bind variables and go through a range. */
export type FoldName =
  | "all"
  | "exists"
  | "exists_one"
  | "map"
  | "filter"
  | "transformList"
  | "transformMap"
  | "transformMapEntry"
  | "optMap"
  | "optFlatMap";

/** `range.macro(variables…, filter, step)`. */
export interface FoldNode {
  kind: "fold";
  at: number;
  macro: FoldName;
  range: Node;
  /** One, or two for key or index and value. */
  variables: string[];
  filter?: Node;
  step: Node;
}

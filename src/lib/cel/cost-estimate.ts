import type { CallNode, FoldNode, ListNode, MapNode, Node, SelectNode } from "./ast.ts";
import type { Checked } from "./checker.ts";
import { lengthOf } from "./code-points.ts";
import {
  type CallCost,
  type CallOf,
  libraryCost,
  type Operand,
  REGEXP,
  TRAVERSAL,
} from "./cost-functions.ts";
import {
  ANY_SIZE,
  exactly,
  NOTHING,
  ONE,
  plus,
  type Range,
  scaled,
  times,
  union,
} from "./cost-range.ts";
import type { Overload } from "./overload.ts";
import { qualifiedName } from "./parser.ts";

const LIST_COST = exactly(10);
const MAP_COST = exactly(30);
const STRUCT_COST = exactly(40);

/**
 * How many characters, bytes, items or entries data may have at most, by its path below a
 * variable: names of fields, "@items", "@keys" and "@values". Undefined where it is not declared.
 */
export type SizeOf = (path: readonly string[]) => number | undefined;

/** What an expression costs at least and at most, in the units that evaluations count. */
export function estimateCost(root: Node, of: { checked: Checked; sizeOf: SizeOf }): Range {
  return new Coster(of.checked, of.sizeOf).cost(root);
}

/** Costs of one expression. Macros are counted as the loops over an accumulator that they mean. */
class Coster {
  readonly #checked: Checked;
  readonly #sizeOf: SizeOf;
  readonly #paths = new Map<Node, readonly string[]>();
  readonly #sizes = new Map<Node, Range>();
  /** Ranges of the macros around a node, by the variable that goes through them. */
  readonly #loops: { variable: string; range: Node }[] = [];

  constructor(checked: Checked, sizeOf: SizeOf) {
    this.#checked = checked;
    this.#sizeOf = sizeOf;
  }

  cost(node: Node): Range {
    switch (node.kind) {
      case "literal":
        return NOTHING;
      case "ident":
        return this.#ident(node, node.name);
      case "select":
        return this.#select(node);
      case "call":
        return this.#call(node);
      case "list":
        return this.#list(node);
      case "map":
        return this.#map(node);
      case "struct":
        return plus(STRUCT_COST, ...node.fields.map(({ value }) => this.cost(value)));
      case "fold":
        return this.#fold(node);
    }
  }

  #ident(node: Node, name: string): Range {
    const loop = this.#loops.findLast(({ variable }) => variable === name);
    if (!loop) this.#paths.set(node, [name]);
    else {
      const { kind } = this.#checked.typeOf(loop.range);
      const step = kind === "list" ? "@items" : kind === "map" ? "@keys" : undefined;
      if (step) this.#paths.set(node, [...this.#pathOf(loop.range), step]);
    }
    return ONE;
  }

  #select(node: SelectNode): Range {
    const name = this.#checked.names.get(node);
    if (name !== undefined) return this.#ident(node, name);
    const target = this.cost(node.target);
    if (node.test) return target;
    if (node.optional) return plus(target, ONE);
    this.#paths.set(node, [...this.#pathOf(node.target), node.field]);
    const { kind } = this.#checked.typeOf(node.target);
    return kind === "map" || kind === "object" ? plus(target, ONE) : target;
  }

  #list({ items }: ListNode): Range {
    return plus(LIST_COST, ...items.map(({ value }) => this.cost(value)));
  }

  #map({ entries }: MapNode): Range {
    return plus(MAP_COST, ...entries.flatMap((each) => [each.key, each.value].map(this.#costOf)));
  }

  readonly #costOf = (node: Node): Range => this.cost(node);

  #call(node: CallNode): Range {
    const costs = node.args.map(this.#costOf);
    const member = node.target !== undefined && !this.#checked.qualified.has(node);
    const target = member && node.target ? this.cost(node.target) : NOTHING;
    const [first = NOTHING, second = NOTHING, third = NOTHING] = costs;
    switch (node.name) {
      case "_&&_":
      case "_||_":
        // The first may decide alone.
        return { min: first.min, max: plus(first, second).max };
      case "_?_:_": {
        const [, yes, no] = node.args.map((arg) => this.#size(this.#operand(arg)));
        this.#sizes.set(node, union(yes ?? ANY_SIZE, no ?? ANY_SIZE));
        return plus(first, union(second, third));
      }
      case "_[_]":
        this.#index(node);
    }
    return plus(target, ...costs, this.#overloads(node, member));
  }

  #index(node: CallNode): void {
    const [container] = node.args;
    if (!container) return;
    const step = this.#checked.typeOf(container).kind === "list" ? "@items" : "@values";
    this.#paths.set(node, [...this.#pathOf(container), step]);
  }

  /** What covers all overloads that the call may mean. */
  #overloads(node: CallNode, member: boolean): Range {
    const prefix = member || !node.target ? undefined : qualifiedName(node.target);
    const name = prefix === undefined ? node.name : `${prefix}.${node.name}`;
    const target = member && node.target ? this.#operand(node.target) : undefined;
    const args = node.args.map((arg) => this.#operand(arg));
    let cost: Range | undefined;
    let size: Range | undefined;
    for (const overload of this.#checked.overloads.get(node) ?? []) {
      const call = { overload, target, args, size: (of: Operand) => this.#known(of) ?? ANY_SIZE };
      const found = libraryCost(name, call) ?? this.#standard(name, call);
      cost = cost ? union(cost, found.cost) : found.cost;
      if (found.size) size = size ? union(size, found.size) : found.size;
    }
    if (size) this.#sizes.set(node, size);
    return cost ?? NOTHING;
  }

  /** Functions and operators of the language. */
  #standard(name: string, { overload, target, args }: CallOf): CallCost {
    const [first, second] = args;
    if (target && first) {
      const read = standardMethod(name, { target: this.#size(target), first: this.#size(first) });
      if (read) return { cost: read };
    }
    if (first && name === "bytes" && takes(overload, "string")) {
      const { min, max } = this.#size(first);
      return { cost: scaled({ min, max }, TRAVERSAL), size: { min, max: max * 4 } };
    }
    if (first && name === "string" && takes(overload, "bytes")) {
      const { min, max } = this.#size(first);
      return { cost: scaled({ min, max }, TRAVERSAL), size: { min: Math.floor(min / 4), max } };
    }
    if (first && name === "strings.quote") {
      const { min, max } = this.#size(first);
      return { cost: scaled({ min, max }, TRAVERSAL), size: { min: min + 2, max: max * 2 + 2 } };
    }
    if (!first || !second) return { cost: ONE };
    const sizes = { first: this.#size(first), second: this.#size(second) };
    return operatorCost(name, { overload, ...sizes }) ?? { cost: ONE };
  }

  #fold(node: FoldNode): Range {
    const { macro, range, variables, filter, step } = node;
    const [variable = ""] = variables;
    if (macro === "optMap" || macro === "optFlatMap") return this.#optional(node);
    const over = this.cost(range);
    this.#loops.push({ variable, range });
    const condition = filter ? this.cost(filter) : NOTHING;
    const turn = turnCost(node, { condition, step: this.cost(step) });
    this.#loops.pop();
    const count = this.#size(this.#operand(range));
    this.#sizes.set(node, count);
    return plus(over, FRAMES[macro], times(count, turn));
  }

  /** A loop of no turns that binds the value, if there is one. */
  #optional({ macro, range, step }: FoldNode): Range {
    const target = this.cost(range);
    const bound = plus(LIST_COST, target, ONE, this.cost(step));
    const some = macro === "optMap" ? plus(bound, ONE) : bound;
    return plus(target, ONE, union(some, ONE));
  }

  #operand(node: Node): Operand {
    return { node, type: this.#checked.typeOf(node), path: this.#paths.get(node) };
  }

  #pathOf(node: Node): readonly string[] {
    return this.#paths.get(node) ?? [];
  }

  #size(of: Operand): Range {
    return this.#known(of) ?? (SCALARS.has(of.type.kind) ? ONE : ANY_SIZE);
  }

  #known({ node, path }: Operand): Range | undefined {
    const computed = node && (this.#sizes.get(node) ?? literalSize(node));
    if (computed) return computed;
    const max = path && path.length > 0 ? this.#sizeOf(path.slice(1)) : undefined;
    return max === undefined ? undefined : { min: 0, max };
  }
}

const SCALARS: ReadonlySet<string> = new Set("bool double duration int timestamp uint".split(" "));

function takes({ params }: Overload, kind: string): boolean {
  return params[0]?.kind === kind;
}

/** What a loop costs however often it turns: its accumulator before and after. */
const FRAMES: Readonly<Record<FoldNode["macro"], Range>> = {
  all: ONE,
  exists: ONE,
  exists_one: exactly(2),
  map: plus(LIST_COST, ONE),
  filter: plus(LIST_COST, ONE),
  transformList: plus(LIST_COST, ONE),
  transformMap: plus(MAP_COST, ONE),
  transformMapEntry: plus(MAP_COST, ONE),
  optMap: NOTHING,
  optFlatMap: NOTHING,
};

/** One turn of a loop: whether to go on, and the next accumulator. */
function turnCost(
  { macro, filter }: FoldNode,
  { condition, step }: { condition: Range; step: Range },
): Range {
  switch (macro) {
    case "all":
      return plus(exactly(3), { min: 0, max: step.max });
    case "exists":
      return plus(exactly(4), { min: 0, max: step.max });
    case "exists_one":
      return plus(step, { min: 1, max: 2 });
    case "filter":
      return plus(step, { min: 1, max: 13 });
    default: {
      const build = macro === "transformMap" ? 3 : macro === "transformMapEntry" ? 2 : 12;
      const next = plus(step, exactly(build));
      return filter ? plus(condition, union(next, ONE)) : next;
    }
  }
}

function standardMethod(
  name: string,
  { target, first }: { target: Range; first: Range },
): Range | undefined {
  switch (name) {
    case "format":
      return scaled(target, TRAVERSAL);
    case "startsWith":
    case "endsWith":
      return scaled(first, TRAVERSAL);
    case "contains":
      return times(scaled(target, TRAVERSAL), scaled(first, TRAVERSAL));
    case "matches":
      return times(scaled(plus(target, ONE), TRAVERSAL), scaled(first, REGEXP));
  }
  return undefined;
}

const COMPARED: ReadonlySet<string> = new Set(["_<_", "_<=_", "_>_", "_>=_"]);

function operatorCost(
  name: string,
  of: { overload: Overload; first: Range; second: Range },
): CallCost | undefined {
  const { overload, first, second } = of;
  if (name === "@in") return overload.params[1]?.kind === "list" ? { cost: second } : undefined;
  const long = takes(overload, "string") || takes(overload, "bytes");
  if (name === "_+_") {
    const size = plus(first, second);
    if (long) return { cost: scaled(size, TRAVERSAL), size };
    return takes(overload, "list") ? { cost: ONE, size } : undefined;
  }
  const equality = name === "_==_" || name === "_!=_";
  if (!equality && !(COMPARED.has(name) && long)) return undefined;
  const max = Math.min(first.max, second.max);
  return { cost: scaled({ min: Math.min(1, max), max }, TRAVERSAL) };
}

/** Sizes that the expression itself shows. */
function literalSize(node: Node): Range | undefined {
  switch (node.kind) {
    case "list":
      return exactly(node.items.length);
    case "map":
      return exactly(node.entries.length);
    case "literal": {
      const { value } = node;
      if (typeof value === "string") return exactly(lengthOf(value));
      return value instanceof Uint8Array ? exactly(value.length) : ONE;
    }
    default:
      return undefined;
  }
}

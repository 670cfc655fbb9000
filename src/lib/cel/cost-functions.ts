import type { Node } from "./ast.ts";
import { exactly, ONE, plus, type Range, scaled, times, UNBOUNDED } from "./cost-range.ts";
import type { Overload } from "./overload.ts";
import { sameType, type Type, typeName } from "./types.ts";

// The reference implementation's estimates of what calls cost at most, function by function. A
// definition is accepted by them, so they must not differ, not even where they look odd.

export const TRAVERSAL = 0.1;
export const REGEXP = 0.25;
const LIST_COST = 10;
const STRUCT_COST = 40;
const CHECK_COST = 350_000;
const FORMAT_REGEXP_LENGTH = 128;
const FORMAT_LENGTH = 64;
const ADDRESS_BYTES: Range = { min: 4, max: 16 };

/** What is known of an argument. */
export interface Operand {
  readonly type: Type;
  /** Where it stands in the declared data: a variable, then names, "@items", "@keys", "@values". */
  readonly path?: readonly string[] | undefined;
  /** Absent for the items of a list. */
  readonly node?: Node | undefined;
}

/** A call of one overload. */
export interface CallOf {
  readonly overload: Overload;
  readonly target: Operand | undefined;
  readonly args: readonly Operand[];
  /** Size of an operand; anything where nothing is known. */
  size(operand: Operand): Range;
}

/** What the call itself costs, without its arguments, and the size of what it gives. */
export interface CallCost {
  readonly cost: Range;
  readonly size?: Range | undefined;
}

type Estimate = (call: CallOf) => CallCost | undefined;

const constant: Estimate = () => ({ cost: ONE });

/** Goes once through its first argument. */
const readsArgument =
  (factor = TRAVERSAL): Estimate =>
  ({ args: [text], size }) =>
    text && { cost: scaled(size(text), factor) };

const keepsLength: Estimate = ({ target, size }) => {
  if (!target) return undefined;
  const length = size(target);
  return { cost: scaled(length, TRAVERSAL), size: length };
};

const goesThrough: Estimate = ({ target, size }) => {
  if (!target) return undefined;
  const item = itemsOf(target);
  if (!item) return { cost: scaled(size(target), TRAVERSAL) };
  const long = item.type.kind === "string" || item.type.kind === "bytes";
  const each = long ? plus(ONE, scaled(size(item), TRAVERSAL)) : ONE;
  return { cost: times(size(target), each) };
};

const replaces: Estimate = ({ target, args: [part, other], size }) => {
  if (!target || !part || !other) return undefined;
  const length = size(target);
  return { cost: scaled(length, 2 * TRAVERSAL), size: replaced(length, size(part), size(other)) };
};

/** How long a text may get whose parts are replaced. */
function replaced(text: Range, part: Range, other: Range): Range {
  let max: number;
  if (part.min === 0) max = (text.max + 1) * other.max + text.max;
  else if (other.max <= part.min) max = text.max;
  else max = Math.ceil(text.max / part.min) * other.max;
  let min: number;
  if (part.max === 0) min = (text.min + 1) * other.min + text.min;
  else if (part.max <= other.min) min = text.min;
  else min = Math.ceil(text.min / part.max) * other.min;
  return { min: Math.min(min, UNBOUNDED), max: Math.min(max, UNBOUNDED) };
}

const splits: Estimate = ({ target, args: [, limit], size }) => {
  if (!target) return undefined;
  const length = size(target);
  const literal = limit?.node?.kind === "literal" ? limit.node.value : undefined;
  const max = typeof literal !== "bigint" ? length.max : literal < 0n ? UNBOUNDED : Number(literal);
  return { cost: scaled(length, 2 * TRAVERSAL), size: { min: 0, max } };
};

const joins: Estimate = ({ target, args: [separator], size }) => {
  if (!target) return undefined;
  const count = size(target);
  const item = itemsOf(target);
  let length = item ? times(count, size(item)) : exactly(0);
  if (separator) {
    const between = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1) };
    length = plus(length, times(size(separator), between));
  }
  return { cost: scaled(length, TRAVERSAL), size: length };
};

const finds: Estimate = ({ target, args: [pattern], size }) => {
  if (!target || !pattern) return undefined;
  const length = size(target);
  const cost = times(scaled(plus(length, ONE), TRAVERSAL), scaled(size(pattern), REGEXP));
  return { cost, size: { min: 0, max: length.max } };
};

const selects: Estimate = ({ args: [selector], size }) => {
  if (!selector) return undefined;
  const length = size(selector);
  const requirements = scaled(scaled(length, 0.5), LIST_COST + STRUCT_COST);
  return { cost: plus(exactly(LIST_COST), scaled(length, TRAVERSAL), requirements) };
};

/** Compares addresses; `extra` is what telling a whole block from an address costs more. */
const containsAddress =
  (extra: Range): Estimate =>
  ({ overload, args: [other], size }) => {
    if (!other) return undefined;
    const cost = plus(scaled(plus(ADDRESS_BYTES, ADDRESS_BYTES), TRAVERSAL), extra);
    const isText = overload.params[1]?.kind === "string";
    return { cost: isText ? plus(cost, scaled(size(other), TRAVERSAL)) : cost };
  };

const validates: Estimate = ({ args: [text], size }) =>
  text && { cost: scaled(scaled(size(text), TRAVERSAL), FORMAT_REGEXP_LENGTH * REGEXP) };

const comparesSets =
  (factor: number): Estimate =>
  ({ args: [a, b], size }) =>
    a && b && { cost: plus(ONE, scaled(times(size(a), size(b)), factor)) };

const url: Estimate = ({ args: [text], size }) => {
  if (!text) return undefined;
  const length = size(text);
  return { cost: scaled(length, TRAVERSAL), size: length };
};

/** Two values of a type that is compared in one step. */
const equals: Estimate = ({ args: [a, b], size }) => {
  if (!a || !b || a.type.kind !== "opaque" || !sameType(a.type, b.type)) return undefined;
  const name = typeName(a.type);
  if (name === "kubernetes.NamedFormat") {
    return { cost: scaled({ min: 1, max: FORMAT_LENGTH }, TRAVERSAL) };
  }
  if (name === "kubernetes.URL") {
    const { max } = size(b);
    return { cost: scaled({ min: 1, max: max === UNBOUNDED ? 1 : max }, TRAVERSAL) };
  }
  return name.startsWith("kubernetes.") || name.startsWith("net.") ? { cost: ONE } : undefined;
};

const EACH: readonly (readonly [string, Estimate])[] = [
  ["check", () => ({ cost: exactly(CHECK_COST) })],
  ["serviceAccount path group resource subresource namespace name", constant],
  ["allowed reason error errored", constant],
  ["fieldSelector labelSelector", selects],
  ["isSorted sum max min indexOf lastIndexOf", goesThrough],
  ["url", url],
  ["lowerAscii upperAscii substring trim", keepsLength],
  ["replace", replaces],
  ["split", splits],
  ["join", joins],
  ["find findAll", finds],
  ["cidr isIP isCIDR quantity isQuantity", readsArgument()],
  ["ip", (call) => (call.args.length === 0 ? { cost: ONE } : readsArgument()(call))],
  ["ip.isCanonical", readsArgument(2 * TRAVERSAL)],
  ["masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast", constant],
  ["isLinkLocalUnicast isGlobalUnicast format.named", constant],
  ["containsIP", containsAddress(exactly(0))],
  ["containsCIDR", containsAddress(plus(scaled(ADDRESS_BYTES, TRAVERSAL), ONE))],
  ["validate", validates],
  ["sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan", constant],
  ["compareTo add sub getScheme getHostname getHost getPort getEscapedPath getQuery", constant],
  ["sets.contains sets.intersects", comparesSets(1)],
  ["sets.equivalent", comparesSets(2)],
  ["_==_", equals],
];

const ESTIMATES: ReadonlyMap<string, Estimate> = new Map(
  EACH.flatMap(([names, estimate]) => names.split(" ").map((name) => [name, estimate] as const)),
);

/** The estimate for a function of Kubernetes' libraries; undefined for those of the language. */
export function libraryCost(name: string, call: CallOf): CallCost | undefined {
  return ESTIMATES.get(name)?.(call);
}

/** What holds for every item of a list. */
function itemsOf({ type, path }: Operand): Operand | undefined {
  return type.kind === "list" ? { type: type.of, path: path && [...path, "@items"] } : undefined;
}

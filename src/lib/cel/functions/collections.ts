import { type Overload, type Overloads, overload } from "../overload.ts";
import { CelError } from "../source-errors.ts";
import {
  Duration,
  type ListValue,
  ListValue as List,
  MapValue,
  Optional,
  sizeOfValue,
  Uint,
  type Value,
  valuesEqual,
} from "../values.ts";
import { isIn } from "../member-access.ts";
import { traversalCost } from "./traversal-cost.ts";
import { checkedDuration, checkedInt, checkedUint, compareValues } from "./operators.ts";

const walk = ([list = null]: readonly Value[]): number => traversalCost(list);
const product = ([a = null, b = null]: readonly Value[]): number =>
  1 + sizeOfValue(a) * sizeOfValue(b);

function isSorted(list: ListValue): boolean {
  for (let at = 1; at < list.size; at++) {
    const order = compareValues(list.at(at - 1), list.at(at));
    if (Number.isNaN(order)) throw new CelError("no such overload");
    if (order > 0) return false;
  }
  return true;
}

function extreme(list: ListValue, sign: number, name: string): Value {
  if (list.size === 0) throw new CelError(`${name} called on empty list`);
  let best = list.at(0);
  for (const item of list) {
    const order = compareValues(item, best);
    if (Number.isNaN(order)) throw new CelError("no such overload");
    if (order * sign > 0) best = item;
  }
  return best;
}

function add(a: Value, b: Value): Value {
  if (typeof a === "bigint" && typeof b === "bigint") return checkedInt(a + b);
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (a instanceof Uint && b instanceof Uint) return checkedUint(a.value + b.value);
  if (a instanceof Duration && b instanceof Duration) return checkedDuration(a.nanos + b.nanos);
  throw new CelError("no such overload");
}

const ZEROS: Readonly<Record<string, Value>> = {
  int: 0n,
  uint: new Uint(0n),
  double: 0,
  duration: new Duration(0n),
};

function sum(list: ListValue, zero: Value): Value {
  if (list.size === 0) return zero;
  let total = list.at(0);
  for (let at = 1; at < list.size; at++) total = add(total, list.at(at));
  return total;
}

function indexOf(list: ListValue, wanted: Value): bigint {
  for (let at = 0; at < list.size; at++) if (valuesEqual(list.at(at), wanted)) return BigInt(at);
  return -1n;
}

function lastIndexOf(list: ListValue, wanted: Value): bigint {
  for (let at = list.size - 1; at >= 0; at--) {
    if (valuesEqual(list.at(at), wanted)) return BigInt(at);
  }
  return -1n;
}

const SORTABLE = ["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"];

/** Lists of Kubernetes: isSorted, sum, min, max, indexOf, lastIndexOf. */
export const LISTS: Overloads = [
  ...SORTABLE.flatMap((type): Overload[] => [
    overload(`list<${type}>.isSorted() -> bool`, isSorted, walk),
    overload(`list<${type}>.min() -> ${type}`, (list: ListValue) => extreme(list, -1, "min"), walk),
    overload(`list<${type}>.max() -> ${type}`, (list: ListValue) => extreme(list, 1, "max"), walk),
  ]),
  ...Object.entries(ZEROS).map(([type, zero]) => {
    return overload(`list<${type}>.sum() -> ${type}`, (list: ListValue) => sum(list, zero), walk);
  }),
  overload("list<A>.indexOf(A) -> int", indexOf, walk),
  overload("list<A>.lastIndexOf(A) -> int", lastIndexOf, walk),
];

function containsAll(list: ListValue, wanted: ListValue): boolean {
  for (const item of wanted) if (!isIn(item, list)) return false;
  return true;
}

function intersects(a: ListValue, b: ListValue): boolean {
  for (const item of a) if (isIn(item, b)) return true;
  return false;
}

/** Lists as sets. */
export const SETS: Overloads = [
  overload("::sets.contains(list<A>, list<A>) -> bool", containsAll, product),
  overload(
    "::sets.equivalent(list<A>, list<A>) -> bool",
    (a: ListValue, b: ListValue) => containsAll(a, b) && containsAll(b, a),
    (args) => 2 * product(args) - 1,
  ),
  overload("::sets.intersects(list<A>, list<A>) -> bool", intersects, product),
];

function isZero(value: Value): boolean {
  if (value === null || value === false || value === "" || value === 0 || value === 0n) return true;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration) return value.nanos === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  return (value instanceof List || value instanceof MapValue) && value.size === 0;
}

/** Values that may be absent. */
export const OPTIONALS: Overloads = [
  overload("::optional.of(A) -> optional<A>", (value: Value) => new Optional(value)),
  overload("::optional.none() -> optional<A>", () => new Optional(undefined)),
  overload("::optional.ofNonZeroValue(A) -> optional<A>", (value: Value) => {
    return new Optional(isZero(value) ? undefined : value);
  }),
  overload("optional<A>.hasValue() -> bool", ({ value }: Optional) => value !== undefined),
  overload("optional<A>.value() -> A", ({ value }: Optional) => {
    if (value === undefined) throw new CelError("optional.none() dereference");
    return value;
  }),
  overload("optional<A>.or(optional<A>) -> optional<A>", (a: Optional, b: Optional) => {
    return a.value === undefined ? b : a;
  }),
  overload("optional<A>.orValue(A) -> A", ({ value }: Optional, other: Value) => value ?? other),
];

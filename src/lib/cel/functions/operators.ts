import { isIn } from "../member-access.ts";
import { type Overload, type Overloads, overload } from "../overload.ts";
import { CelError } from "../source-errors.ts";
import {
  compareBytes,
  compareNumbers,
  compareStrings,
  Duration,
  isNumber,
  type ListValue,
  sizeOfValue,
  Timestamp,
  Uint,
  type Value,
} from "../values.ts";

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;
const TRAVERSAL = 0.1;

/** An int, or the error of a result beyond 64 bits. */
export function checkedInt(value: bigint): bigint {
  if (value < INT_MIN || value > INT_MAX) throw new CelError("integer overflow");
  return value;
}

/** An unsigned int, or the error of a result beyond 64 bits. */
export function checkedUint(value: bigint): Uint {
  if (value < 0n || value > UINT_MAX) throw new CelError("unsigned integer overflow");
  return new Uint(value);
}

const TIME_MIN = -62_135_596_800_000_000_000n;
const TIME_MAX = 253_402_300_799_999_999_999n;

/** Years 1 to 9999. */
export function checkedTime(nanos: bigint): Timestamp {
  if (nanos < TIME_MIN || nanos > TIME_MAX) throw new CelError("timestamp overflow");
  return new Timestamp(nanos);
}

export function checkedDuration(nanos: bigint): Duration {
  if (nanos < INT_MIN || nanos > INT_MAX) throw new CelError("duration overflow");
  return new Duration(nanos);
}

function divisor(value: bigint, what: string): bigint {
  if (value === 0n) throw new CelError(what);
  return value;
}

const bothSizes = ([a = null, b = null]: readonly Value[]): number =>
  (sizeOfValue(a) + sizeOfValue(b)) * TRAVERSAL;
const smallerSize = ([a = null, b = null]: readonly Value[]): number =>
  Math.min(sizeOfValue(a), sizeOfValue(b)) * TRAVERSAL;

const ARITHMETIC: Overloads = [
  overload("_+_(int, int) -> int", (a: bigint, b: bigint) => checkedInt(a + b)),
  overload("_+_(uint, uint) -> uint", (a: Uint, b: Uint) => checkedUint(a.value + b.value)),
  overload("_+_(double, double) -> double", (a: number, b: number) => a + b),
  overload("_+_(string, string) -> string", (a: string, b: string) => a + b, bothSizes),
  overload("_+_(bytes, bytes) -> bytes", joinBytes, bothSizes),
  overload("_+_(list<A>, list<A>) -> list<A>", (a: ListValue, b: ListValue) => a.concat(b)),
  overload("_+_(duration, duration) -> duration", (a: Duration, b: Duration) =>
    checkedDuration(a.nanos + b.nanos),
  ),
  overload("_+_(timestamp, duration) -> timestamp", (a: Timestamp, b: Duration) =>
    checkedTime(a.nanos + b.nanos),
  ),
  overload("_+_(duration, timestamp) -> timestamp", (a: Duration, b: Timestamp) =>
    checkedTime(a.nanos + b.nanos),
  ),
  overload("_-_(int, int) -> int", (a: bigint, b: bigint) => checkedInt(a - b)),
  overload("_-_(uint, uint) -> uint", (a: Uint, b: Uint) => checkedUint(a.value - b.value)),
  overload("_-_(double, double) -> double", (a: number, b: number) => a - b),
  overload("_-_(duration, duration) -> duration", (a: Duration, b: Duration) =>
    checkedDuration(a.nanos - b.nanos),
  ),
  overload("_-_(timestamp, duration) -> timestamp", (a: Timestamp, b: Duration) =>
    checkedTime(a.nanos - b.nanos),
  ),
  overload("_-_(timestamp, timestamp) -> duration", (a: Timestamp, b: Timestamp) =>
    checkedDuration(a.nanos - b.nanos),
  ),
  overload("_*_(int, int) -> int", (a: bigint, b: bigint) => checkedInt(a * b)),
  overload("_*_(uint, uint) -> uint", (a: Uint, b: Uint) => checkedUint(a.value * b.value)),
  overload("_*_(double, double) -> double", (a: number, b: number) => a * b),
  overload("_/_(int, int) -> int", (a: bigint, b: bigint) =>
    checkedInt(a / divisor(b, "division by zero")),
  ),
  overload("_/_(uint, uint) -> uint", (a: Uint, b: Uint) =>
    checkedUint(a.value / divisor(b.value, "division by zero")),
  ),
  overload("_/_(double, double) -> double", (a: number, b: number) => a / b),
  overload("_%_(int, int) -> int", (a: bigint, b: bigint) => a % divisor(b, "modulus by zero")),
  overload("_%_(uint, uint) -> uint", (a: Uint, b: Uint) =>
    checkedUint(a.value % divisor(b.value, "modulus by zero")),
  ),
  overload("-_(int) -> int", (a: bigint) => checkedInt(-a)),
  overload("-_(double) -> double", (a: number) => -a),
  overload("!_(bool) -> bool", (a: boolean) => !a),
];

function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Negative, zero or positive; NaN for values without an order. */
export function compareValues(a: Value, b: Value): number {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (a instanceof Timestamp && b instanceof Timestamp) return compareNumbers(a.nanos, b.nanos);
  if (a instanceof Duration && b instanceof Duration) return compareNumbers(a.nanos, b.nanos);
  return Number.NaN;
}

const NUMERIC = ["int", "uint", "double"];
const ORDERED: readonly [string, string][] = [
  ...NUMERIC.flatMap((a) => NUMERIC.map((b): [string, string] => [a, b])),
  ...["bool", "string", "bytes", "timestamp", "duration"].map((a): [string, string] => [a, a]),
];

function ordering(name: string, holds: (order: number) => boolean): Overload[] {
  return ORDERED.map(([a, b]) => {
    const long = a === "string" || a === "bytes";
    const call = (left: Value, right: Value) => holds(compareValues(left, right));
    return overload(`${name}(${a}, ${b}) -> bool`, call, long ? smallerSize : undefined);
  });
}

/** Operators; the logical ones, `==`, `[]` and `?:` are only declared: the compiler knows them. */
export const OPERATORS: Overloads = [
  ...ARITHMETIC,
  ...ordering("_<_", (order) => order < 0),
  ...ordering("_<=_", (order) => order <= 0),
  ...ordering("_>_", (order) => order > 0),
  ...ordering("_>=_", (order) => order >= 0),
  overload("_&&_(bool, bool) -> bool", unreachable),
  overload("_||_(bool, bool) -> bool", unreachable),
  overload("_==_(A, A) -> bool", unreachable),
  overload("_!=_(A, A) -> bool", unreachable),
  overload("_?_:_(bool, A, A) -> A", unreachable),
  overload("_[_](list<A>, int) -> A", unreachable),
  overload("_[_](map<A, B>, A) -> B", unreachable),
  overload("_[_](optional<list<A>>, int) -> optional<A>", unreachable),
  overload("_[_](optional<map<A, B>>, A) -> optional<B>", unreachable),
  overload("_[?_](list<A>, int) -> optional<A>", unreachable),
  overload("_[?_](map<A, B>, A) -> optional<B>", unreachable),
  overload("_[?_](optional<list<A>>, int) -> optional<A>", unreachable),
  overload("_[?_](optional<map<A, B>>, A) -> optional<B>", unreachable),
  overload("@in(A, list<A>) -> bool", isIn, ([, list = null]) => sizeOfValue(list)),
  overload("@in(A, map<A, B>) -> bool", isIn),
];

function unreachable(): never {
  throw new CelError("no such overload");
}

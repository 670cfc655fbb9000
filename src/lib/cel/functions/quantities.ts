import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity as Amount,
  quantityToNumber,
  subtractQuantities,
} from "../../quantity.ts";
import { type Overloads, overload } from "../overload.ts";
import { CelError } from "../source-errors.ts";
import { Opaque, sizeOfValue, type Value } from "../values.ts";

const NANO = 1_000_000_000n;
const INT_MAX = 2n ** 63n - 1n;
const traverse = ([text = null]: readonly Value[]): number => sizeOfValue(text) * 0.1;

/** An amount such as "1.5Gi". */
class Quantity extends Opaque {
  readonly typeName = "kubernetes.Quantity";
  readonly amount: Amount;

  constructor(amount: Amount) {
    super();
    this.amount = amount;
  }

  equals(other: Opaque): boolean {
    return other instanceof Quantity && compareQuantities(this.amount, other.amount) === 0;
  }
}

function parse(text: string): Quantity {
  try {
    return new Quantity(parseQuantity(text));
  } catch (error) {
    throw new CelError((error as Error).message);
  }
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch {
    return false;
  }
}

function isInteger({ amount: { nanos } }: Quantity): boolean {
  const whole = nanos / NANO;
  return whole * NANO === nanos && whole <= INT_MAX && whole >= -INT_MAX;
}

function asInteger(quantity: Quantity): bigint {
  if (!isInteger(quantity)) throw new CelError("cannot convert value to integer");
  return quantity.amount.nanos / NANO;
}

const ofInt = (value: bigint): Amount => ({ nanos: value * NANO, format: "DecimalSI" });
const compare = (a: Quantity, b: Quantity): number => compareQuantities(a.amount, b.amount);
const Q = "kubernetes.Quantity";

/** Quantities of Kubernetes. */
export const QUANTITIES: Overloads = [
  overload(`quantity(string) -> ${Q}`, parse, traverse),
  overload("isQuantity(string) -> bool", isQuantity, traverse),
  overload(`${Q}.sign() -> int`, ({ amount: { nanos } }: Quantity) => {
    return nanos > 0n ? 1n : nanos < 0n ? -1n : 0n;
  }),
  overload(`sign(${Q}) -> int`, ({ amount: { nanos } }: Quantity) => {
    return nanos > 0n ? 1n : nanos < 0n ? -1n : 0n;
  }),
  overload(`${Q}.isInteger() -> bool`, isInteger),
  overload(`${Q}.asInteger() -> int`, asInteger),
  overload(`${Q}.asApproximateFloat() -> double`, ({ amount }: Quantity) => {
    return quantityToNumber(formatQuantity(amount));
  }),
  overload(`${Q}.isGreaterThan(${Q}) -> bool`, (a: Quantity, b: Quantity) => compare(a, b) > 0),
  overload(`${Q}.isLessThan(${Q}) -> bool`, (a: Quantity, b: Quantity) => compare(a, b) < 0),
  overload(`${Q}.compareTo(${Q}) -> int`, (a: Quantity, b: Quantity) => BigInt(compare(a, b))),
  overload(`${Q}.add(${Q}) -> ${Q}`, (a: Quantity, b: Quantity) => {
    return new Quantity(addQuantities(a.amount, b.amount));
  }),
  overload(`${Q}.add(int) -> ${Q}`, (a: Quantity, b: bigint) => {
    return new Quantity(addQuantities(a.amount, ofInt(b)));
  }),
  overload(`${Q}.sub(${Q}) -> ${Q}`, (a: Quantity, b: Quantity) => {
    return new Quantity(subtractQuantities(a.amount, b.amount));
  }),
  overload(`${Q}.sub(int) -> ${Q}`, (a: Quantity, b: bigint) => {
    return new Quantity(subtractQuantities(a.amount, ofInt(b)));
  }),
];

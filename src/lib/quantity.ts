/** How a quantity was written, and so how it is written again. */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/** An exact amount; 1 is 10^9 nanos, the finest step that exists. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

/** The text is not a quantity. */
export class QuantityError extends Error {
  override readonly name = "QuantityError";
}

const NANO = 1_000_000_000n;
const MAX_NANOS = (2n ** 63n - 1n) * NANO;
const DECIMAL_SUFFIXES: readonly string[] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY_SUFFIXES: readonly string[] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const SHAPE = /^([+-]?)([0-9.]*)([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const WRONG_FORMAT =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Power of ten, or `undefined` and a power of 1024. */
interface Suffix {
  format: QuantityFormat;
  exponent: number;
}

function parseSuffix(text: string): Suffix {
  const decimal = DECIMAL_SUFFIXES.indexOf(text);
  if (decimal >= 0) return { format: "DecimalSI", exponent: (decimal - 3) * 3 };
  const binary = BINARY_SUFFIXES.indexOf(text);
  if (binary > 0) return { format: "BinarySI", exponent: binary * 10 };
  if (/^[eE][+-]?[0-9]{1,4}$/.test(text)) {
    return { format: "DecimalExponent", exponent: Number(text.slice(1)) };
  }
  throw new QuantityError("unable to parse quantity's suffix");
}

function divideUp(amount: bigint, divisor: bigint): bigint {
  const quotient = amount / divisor;
  return quotient * divisor === amount ? quotient : quotient + 1n;
}

/**
 * Parses "100m", "1.5Gi", "1e3". Amounts finer than a nano are rounded away from zero, amounts
 * beyond 2^63-1 are cut to it, as the reference implementation does. @throws QuantityError
 */
export function parseQuantity(text: string): Quantity {
  if (text === "") throw new QuantityError(WRONG_FORMAT);
  const [, sign, number = "", suffixText = ""] = SHAPE.exec(text) ?? [];
  if (sign === undefined || number === "") throw new QuantityError(WRONG_FORMAT);
  const [whole = "", fraction = "", ...rest] = number.split(".");
  if (rest.length > 0) throw new QuantityError(WRONG_FORMAT);
  if (whole + fraction === "") throw new QuantityError("unable to parse numeric part of quantity");
  const suffix = parseSuffix(suffixText);
  let digits = BigInt(whole + fraction);
  let scale = 9 - fraction.length;
  let { format } = suffix;
  if (format === "BinarySI") digits <<= BigInt(suffix.exponent);
  else scale += suffix.exponent;
  let nanos: bigint;
  if (scale >= 0) nanos = digits === 0n ? 0n : digits * 10n ** BigInt(Math.min(scale, 40));
  else nanos = divideUp(digits, 10n ** BigInt(Math.min(-scale, 10_000)));
  if (nanos > MAX_NANOS) nanos = MAX_NANOS;
  if (format === "BinarySI" && nanos > 0n && nanos < NANO) format = "DecimalSI";
  return { nanos: sign === "-" ? -nanos : nanos, format };
}

function decimalText(nanos: bigint, format: QuantityFormat): string {
  let mantissa = nanos;
  let exponent = -9;
  while (exponent < 18 && mantissa % 1000n === 0n) {
    mantissa /= 1000n;
    exponent += 3;
  }
  if (format !== "DecimalExponent") return `${mantissa}${DECIMAL_SUFFIXES[exponent / 3 + 3]}`;
  return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
}

/** The canonical text: no fraction, the largest suffix that keeps the amount exact. */
export function formatQuantity(quantity: Quantity): string {
  const { nanos, format } = quantity;
  if (nanos === 0n) return "0";
  const small = nanos > -1024n * NANO && nanos < 1024n * NANO;
  if (format !== "BinarySI") return decimalText(nanos, format);
  if (small || nanos % NANO !== 0n) return decimalText(nanos, "DecimalSI");
  let mantissa = nanos / NANO;
  let power = 0;
  while (power < 6 && mantissa % 1024n === 0n) {
    mantissa /= 1024n;
    power++;
  }
  return `${mantissa}${BINARY_SUFFIXES[power]}`;
}

/** Texts that are canonical for sure, so that most values need no BigInt. */
function isPlainlyCanonical(text: string): boolean {
  if (/^[1-9][0-9]{0,14}[mkMG]?$/.test(text)) return !/000[mkMG]?$/.test(text);
  const binary = /^([1-9][0-9]{0,9})[KMG]i$/.exec(text);
  return binary !== null && Number(binary[1]) % 1024 !== 0;
}

/** The canonical text of a quantity: "0.5" is "500m", "2048Mi" is "2Gi". @throws QuantityError */
export function canonicalQuantity(text: string): string {
  return isPlainlyCanonical(text) ? text : formatQuantity(parseQuantity(text));
}

/**
 * Canonical text of an amount in a resource list (`requests`, `capacity`, ...), where amounts
 * finer than a thousandth are rounded up. @throws QuantityError
 */
export function canonicalResourceQuantity(text: string): string {
  if (isPlainlyCanonical(text)) return text;
  const { nanos, format } = parseQuantity(text);
  const size = nanos < 0n ? -nanos : nanos;
  const rounded = divideUp(size, 1_000_000n) * 1_000_000n;
  return formatQuantity({ nanos: nanos < 0n ? -rounded : rounded, format });
}

/** Negative, zero or positive as `a` is smaller than, equal to or larger than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
}

/** The sum, written like `a`; like `b` when `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** The difference, written like `a`; like `b` when `a` is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos - b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};
const COMMON = /^([0-9]{1,9})(|k|M|G|T|Ki|Mi|Gi|Ti|m)$/;

/** The amount as a number, exact below 2^53 when whole: bytes, counts. @throws QuantityError */
export function quantityToNumber(text: string): number {
  const common = COMMON.exec(text);
  if (common) {
    const number = Number(common[1]);
    return common[2] === "m" ? number / 1000 : number * (FACTORS[common[2] ?? ""] ?? 1);
  }
  const { nanos } = parseQuantity(text);
  return Number(nanos / NANO) + Number(nanos % NANO) / 1e9;
}

/** Thousandths, rounded away from zero: milli-CPUs. @throws QuantityError */
export function quantityToMilli(text: string): number {
  const common = COMMON.exec(text);
  if (common) {
    const number = Number(common[1]);
    return common[2] === "m" ? number : number * (FACTORS[common[2] ?? ""] ?? 1) * 1000;
  }
  const { nanos } = parseQuantity(text);
  const milli = Number(divideUp(nanos < 0n ? -nanos : nanos, 1_000_000n));
  return nanos < 0n ? -milli : milli;
}

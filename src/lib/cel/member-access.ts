import { CelError } from "./source-errors.ts";
import {
  ArrayList,
  isNumber,
  keyText,
  ListValue,
  MapValue,
  Optional,
  Uint,
  type Value,
  valuesEqual,
} from "./values.ts";

const NO_OVERLOAD = "no such overload";

/** `target.field` @throws CelError when there is no such field */
export function selectField(target: Value, field: string): Value {
  if (target instanceof MapValue) {
    const value = target.get(field);
    if (value === undefined) throw new CelError(`no such key: ${field}`);
    return value;
  }
  if (target instanceof Optional) return indexOptional(target, field);
  throw new CelError(NO_OVERLOAD);
}

/** `has(target.field)` */
export function hasField(target: Value, field: string): boolean {
  if (target instanceof MapValue) return target.get(field) !== undefined;
  if (target instanceof Optional) {
    return target.value !== undefined && hasField(target.value, field);
  }
  throw new CelError(NO_OVERLOAD);
}

/** `target[index]` @throws CelError when there is no such item */
export function indexValue(target: Value, index: Value): Value {
  if (target instanceof ListValue) {
    const at = listIndex(index);
    if (at === undefined) throw new CelError(`unsupported index value in list: ${keyText(index)}`);
    if (at < 0 || at >= target.size) throw new CelError(`index out of bounds: ${at}`);
    return target.at(at);
  }
  if (target instanceof MapValue) {
    const value = target.get(index);
    if (value === undefined) throw new CelError(`no such key: ${keyText(index)}`);
    return value;
  }
  if (target instanceof Optional) return indexOptional(target, index);
  throw new CelError(NO_OVERLOAD);
}

/** `target[?index]` and `target.?field`: an optional, empty where there is nothing. */
export function indexOptional(target: Value, index: Value): Optional {
  if (target instanceof Optional) {
    return target.value === undefined ? target : indexOptional(target.value, index);
  }
  if (target instanceof MapValue) return new Optional(target.get(index));
  if (target instanceof ListValue) {
    const at = listIndex(index);
    const inside = at !== undefined && at >= 0 && at < target.size;
    return new Optional(inside ? target.at(at) : undefined);
  }
  throw new CelError(NO_OVERLOAD);
}

function listIndex(index: Value): number | undefined {
  if (!isNumber(index)) return undefined;
  const at = Number(index instanceof Uint ? index.value : index);
  return Number.isInteger(at) ? at : undefined;
}

/** `value in container` */
export function isIn(value: Value, container: Value): boolean {
  if (container instanceof MapValue) return container.get(value) !== undefined;
  if (!(container instanceof ListValue)) throw new CelError(NO_OVERLOAD);
  if (container instanceof ArrayList)
    return container.items.some((item) => valuesEqual(item, value));
  for (const item of container) if (valuesEqual(item, value)) return true;
  return false;
}

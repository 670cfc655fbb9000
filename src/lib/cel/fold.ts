import type { FoldNode } from "./ast.ts";
import type { Compiler } from "./compiler.ts";
import type { Code, Frame } from "./frame.ts";
import { CelError } from "./source-errors.ts";
import { ArrayList, EntryMap, ListValue, MapValue, Optional, type Value } from "./values.ts";

// What one turn of each macro costs beside its step: the reference implementation writes macros
// as loops over an accumulator, and counts every part of them.
const ALL_COST = 3;
const EXISTS_COST = 4;
const COUNT_COST = 2;
const APPEND_COST = 12;
const SKIP_COST = 1;

/** One turn: whether to go on. */
type Turn = (frame: Frame) => boolean;

interface Parts {
  range: Code;
  filter: Code | undefined;
  step: Code;
  slots: number[];
}

/** A macro as a loop over its range. */
export function compileFold(compiler: Compiler, node: FoldNode): Code {
  const range = compiler.compile(node.range);
  return compiler.bind(node.variables, (slots) => {
    const filter = node.filter ? compiler.compile(node.filter) : undefined;
    const parts = { range, filter, step: compiler.compile(node.step), slots };
    switch (node.macro) {
      case "all":
        return quantifier(parts, { deciding: false, turnCost: ALL_COST });
      case "exists":
        return quantifier(parts, { deciding: true, turnCost: EXISTS_COST });
      case "exists_one":
        return existsOne(parts);
      case "filter":
        return filterList(parts);
      case "map":
      case "transformList":
        return mapList(parts);
      case "transformMap":
      case "transformMapEntry":
        return transformMap(parts, node.macro === "transformMapEntry");
      case "optMap":
      case "optFlatMap":
        return optionalMap(parts, node.macro === "optFlatMap");
    }
  });
}

/** Goes through a list or the keys of a map; with two variables through indexes or keys too. */
function loop(frame: Frame, { range, slots }: Parts, turn: Turn): void {
  const [first = 0, second] = slots;
  const { locals } = frame;
  const over = range(frame);
  if (over instanceof ListValue) {
    for (let at = 0; at < over.size; at++) {
      if (second === undefined) locals[first] = over.at(at);
      else {
        locals[first] = BigInt(at);
        locals[second] = over.at(at);
      }
      if (!turn(frame)) return;
    }
  } else if (over instanceof MapValue) {
    for (const key of over.keys()) {
      locals[first] = key;
      if (second !== undefined) locals[second] = over.get(key) ?? null;
      if (!turn(frame)) return;
    }
  } else throw new CelError("no such overload");
}

function truth(code: Code, frame: Frame): boolean {
  const value = code(frame);
  if (typeof value !== "boolean") throw new CelError("no such overload");
  return value;
}

/** A deciding turn ends the loop and wins over errors of other turns. */
function quantifier(parts: Parts, of: { deciding: boolean; turnCost: number }): Code {
  const { deciding, turnCost } = of;
  return (frame) => {
    let result = !deciding;
    let failure: CelError | undefined;
    loop(frame, parts, () => {
      frame.charge(turnCost);
      try {
        if (truth(parts.step, frame) !== deciding) return true;
        result = deciding;
        return false;
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        failure ??= error;
        return true;
      }
    });
    if (failure && result !== deciding) throw failure;
    return result;
  };
}

function existsOne(parts: Parts): Code {
  return (frame) => {
    let count = 0;
    loop(frame, parts, () => {
      frame.charge(COUNT_COST);
      if (truth(parts.step, frame)) count++;
      return true;
    });
    return count === 1;
  };
}

function filterList(parts: Parts): Code {
  const [first = 0] = parts.slots;
  return (frame) => {
    const kept: Value[] = [];
    loop(frame, parts, () => {
      const keeps = truth(parts.step, frame);
      frame.charge(keeps ? APPEND_COST + 1 : SKIP_COST);
      if (keeps) kept.push(frame.locals[first] ?? null);
      return true;
    });
    return new ArrayList(kept);
  };
}

function mapList(parts: Parts): Code {
  const { filter, step } = parts;
  return (frame) => {
    const made: Value[] = [];
    loop(frame, parts, () => {
      const keeps = !filter || truth(filter, frame);
      frame.charge(keeps ? APPEND_COST : SKIP_COST);
      if (keeps) made.push(step(frame));
      return true;
    });
    return new ArrayList(made);
  };
}

function transformMap(parts: Parts, entries: boolean): Code {
  const { filter, step, slots } = parts;
  const [first = 0] = slots;
  return (frame) => {
    const made = new EntryMap();
    loop(frame, parts, () => {
      const keeps = !filter || truth(filter, frame);
      frame.charge(keeps ? APPEND_COST : SKIP_COST);
      if (!keeps) return true;
      const key = frame.locals[first] ?? null;
      const value = step(frame);
      if (!entries) made.add(key, value);
      else if (!(value instanceof MapValue)) throw new CelError("no such overload");
      else for (const name of value.keys()) made.add(name, value.get(name) ?? null);
      return true;
    });
    return made;
  };
}

function optionalMap({ range, step, slots }: Parts, flat: boolean): Code {
  const [slot = 0] = slots;
  return (frame) => {
    const from = range(frame);
    if (!(from instanceof Optional)) throw new CelError("no such overload");
    if (from.value === undefined) return from;
    frame.locals[slot] = from.value;
    const value = step(frame);
    return flat ? value : new Optional(value);
  };
}

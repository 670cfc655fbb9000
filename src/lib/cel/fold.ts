import type { FoldNode } from "./ast.ts";
import type { Compiler } from "./compiler.ts";
import type { Code, Frame } from "./frame.ts";
import { CelError } from "./source-errors.ts";
import { ArrayList, EntryMap, ListValue, MapValue, Optional, type Value } from "./values.ts";

// The reference implementation writes macros as loops over an accumulator, and counts every part
// of them: the look at whether to go on, the step and what is made of the accumulator in the end.
const GO_ON_COST = 2;
const GO_ON_NEGATED_COST = 3;
const RESULT_COST = 1;
const LIST_COST = 10;
const MAP_COST = 30;
const APPEND_COST = 12;
const INSERT_COST = 3;
const MERGE_COST = 2;
const COUNT_COST = 2;
const COMPARE_COST = 1;
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
        return quantifier(parts, { deciding: false, goOnCost: GO_ON_COST });
      case "exists":
        return quantifier(parts, { deciding: true, goOnCost: GO_ON_NEGATED_COST });
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
function quantifier(parts: Parts, of: { deciding: boolean; goOnCost: number }): Code {
  const { deciding, goOnCost } = of;
  return (frame) => {
    let result = !deciding;
    let failure: CelError | undefined;
    loop(frame, parts, () => {
      frame.charge(goOnCost);
      if (result === deciding) return false;
      frame.charge(1);
      try {
        if (truth(parts.step, frame) === deciding) result = deciding;
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        failure ??= error;
      }
      return true;
    });
    frame.charge(RESULT_COST);
    if (failure && result !== deciding) throw failure;
    return result;
  };
}

function existsOne(parts: Parts): Code {
  return (frame) => {
    let count = 0;
    loop(frame, parts, () => {
      const holds = truth(parts.step, frame);
      frame.charge(holds ? COUNT_COST : SKIP_COST);
      if (holds) count++;
      return true;
    });
    frame.charge(RESULT_COST + COMPARE_COST);
    return count === 1;
  };
}

function filterList(parts: Parts): Code {
  const [first = 0] = parts.slots;
  return (frame) => {
    frame.charge(LIST_COST);
    const kept: Value[] = [];
    loop(frame, parts, () => {
      const keeps = truth(parts.step, frame);
      frame.charge(keeps ? APPEND_COST + 1 : SKIP_COST);
      if (keeps) kept.push(frame.locals[first] ?? null);
      return true;
    });
    frame.charge(RESULT_COST);
    return new ArrayList(kept);
  };
}

function mapList(parts: Parts): Code {
  const { filter, step } = parts;
  return (frame) => {
    frame.charge(LIST_COST);
    const made: Value[] = [];
    loop(frame, parts, () => {
      const keeps = !filter || truth(filter, frame);
      frame.charge(keeps ? APPEND_COST : SKIP_COST);
      if (keeps) made.push(step(frame));
      return true;
    });
    frame.charge(RESULT_COST);
    return new ArrayList(made);
  };
}

function transformMap(parts: Parts, entries: boolean): Code {
  const { filter, step, slots } = parts;
  const [first = 0] = slots;
  return (frame) => {
    frame.charge(MAP_COST);
    const made = new EntryMap();
    loop(frame, parts, () => {
      const keeps = !filter || truth(filter, frame);
      frame.charge(keeps ? (entries ? MERGE_COST : INSERT_COST) : SKIP_COST);
      if (!keeps) return true;
      const key = frame.locals[first] ?? null;
      const value = step(frame);
      if (!entries) made.add(key, value);
      else if (!(value instanceof MapValue)) throw new CelError("no such overload");
      else for (const name of value.keys()) made.add(name, value.get(name) ?? null);
      return true;
    });
    frame.charge(RESULT_COST);
    return made;
  };
}

function optionalMap({ range, step, slots }: Parts, flat: boolean): Code {
  const [slot = 0] = slots;
  return (frame) => {
    const before = frame.cost;
    const from = range(frame);
    if (!(from instanceof Optional)) throw new CelError("no such overload");
    const targetCost = frame.cost - before;
    // Asks whether there is a value, and else makes an empty one.
    frame.charge(2);
    if (from.value === undefined) return from;
    // Takes the value in a loop of no turns, for which it looks for it again.
    frame.charge(targetCost + LIST_COST + (flat ? 0 : 1));
    frame.locals[slot] = from.value;
    const value = step(frame);
    return flat ? value : new Optional(value);
  };
}

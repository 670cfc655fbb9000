import type { CallNode, ListNode, MapNode, Node, SelectNode } from "./ast.ts";
import type { Checked } from "./checker.ts";
import { compileFold } from "./fold.ts";
import type { Code } from "./frame.ts";
import { hasField, indexOptional, indexValue, selectField } from "./member-access.ts";
import type { Overload } from "./overload.ts";
import { CelError } from "./source-errors.ts";
import type { Type } from "./types.ts";
import {
  ArrayList,
  EntryMap,
  isOfType,
  Optional,
  sizeOfValue,
  type Value,
  valuesEqual,
} from "./values.ts";

/** Costs of building a list and a map, as the reference implementation counts them. */
const LIST_COST = 10;
const MAP_COST = 30;
/** Characters are cheaper to go through than items. */
export const CHARACTER_COST = 0.1;

/** Turns checked nodes into closures; names are resolved, overloads chosen. */
export class Compiler {
  readonly checked: Checked;
  /** Places of variables that macros bind, innermost last. */
  readonly #scopes: Map<string, number>[] = [];
  #locals = 0;

  constructor(checked: Checked) {
    this.checked = checked;
  }

  compile(node: Node): Code {
    const constant = this.checked.constants.get(node);
    if (constant !== undefined) return () => constant;
    switch (node.kind) {
      case "literal": {
        const { value } = node;
        return () => value;
      }
      case "ident":
        return this.#ident(node.name);
      case "select":
        return this.#select(node);
      case "call":
        return this.#call(node);
      case "list":
        return this.#list(node);
      case "map":
        return this.#map(node);
      case "fold":
        return compileFold(this, node);
      case "struct":
        return () => {
          throw new CelError(`unknown type: ${node.name}`);
        };
    }
  }

  /** Places for variables while `inside` is compiled. */
  bind<T>(variables: readonly string[], inside: (slots: number[]) => T): T {
    const slots = variables.map(() => this.#locals++);
    this.#scopes.push(new Map(variables.map((name, at) => [name, slots[at] ?? 0])));
    try {
      return inside(slots);
    } finally {
      this.#scopes.pop();
    }
  }

  #ident(name: string): Code {
    for (const scope of this.#scopes.toReversed()) {
      const slot = scope.get(name);
      if (slot === undefined) continue;
      return (frame) => {
        frame.charge(1);
        return frame.locals[slot] ?? null;
      };
    }
    return (frame) => {
      frame.charge(1);
      const value = frame.variables[name];
      if (value === undefined) throw new CelError(`no such attribute(s): ${name}`);
      return value;
    };
  }

  #select(node: SelectNode): Code {
    const name = this.checked.names.get(node);
    if (name !== undefined) return this.#ident(name);
    const target = this.compile(node.target);
    const { field } = node;
    if (node.test) return (frame) => hasField(target(frame), field);
    if (node.optional) {
      return (frame) => {
        frame.charge(1);
        return indexOptional(target(frame), field);
      };
    }
    return (frame) => {
      frame.charge(1);
      return selectField(target(frame), field);
    };
  }

  #call(node: CallNode): Code {
    const { name } = node;
    const isMethod = node.target !== undefined && !this.checked.qualified.has(node);
    const nodes = isMethod && node.target ? [node.target, ...node.args] : node.args;
    const args = nodes.map((arg) => this.compile(arg));
    const [first = never, second = never, third = never] = args;
    switch (name) {
      case "_&&_":
        return logic(first, second, false);
      case "_||_":
        return logic(first, second, true);
      case "_?_:_":
        return conditional(first, second, third);
      case "_==_":
        return (frame) => equality(frame, first(frame), second(frame));
      case "_!=_":
        return (frame) => !equality(frame, first(frame), second(frame));
      case "_[_]":
        return (frame) => {
          frame.charge(1);
          return indexValue(first(frame), second(frame));
        };
      case "_[?_]":
        return (frame) => {
          frame.charge(1);
          return indexOptional(first(frame), second(frame));
        };
    }
    const overloads = this.checked.overloads.get(node) ?? [];
    const types = nodes.map((arg) => this.checked.typeOf(arg));
    return dispatch(overloads, { args, types });
  }

  #list(node: ListNode): Code {
    const items = node.items.map(({ value, optional }) => ({
      code: this.compile(value),
      optional,
    }));
    return (frame) => {
      frame.charge(LIST_COST);
      const values: Value[] = [];
      for (const { code, optional } of items) {
        const value = code(frame);
        if (!optional) values.push(value);
        else {
          const held = heldBy(value);
          if (held !== undefined) values.push(held);
        }
      }
      return new ArrayList(values);
    };
  }

  #map(node: MapNode): Code {
    const entries = node.entries.map(({ key, value, optional }) => {
      return { key: this.compile(key), value: this.compile(value), optional };
    });
    return (frame) => {
      frame.charge(MAP_COST);
      const map = new EntryMap();
      for (const { key, value, optional } of entries) {
        const id = key(frame);
        const held = optional ? heldBy(value(frame)) : value(frame);
        if (held !== undefined) map.add(id, held);
      }
      return map;
    };
  }
}

function never(): never {
  throw new CelError("no such overload");
}

function heldBy(value: Value): Value | undefined {
  if (value instanceof Optional) return value.value;
  throw new CelError("no such overload");
}

function equality(frame: { charge(cost: number): void }, a: Value, b: Value): boolean {
  if (typeof a === "object" || typeof a === "string") {
    frame.charge(Math.ceil(Math.min(sizeOfValue(a), sizeOfValue(b)) * CHARACTER_COST));
  } else frame.charge(1);
  return valuesEqual(a, b);
}

/** `&&` and `||`: the deciding value on either side wins over an error on the other. */
function logic(first: Code, second: Code, deciding: boolean): Code {
  return (frame) => {
    let failure: CelError | undefined;
    try {
      const left = first(frame);
      if (left === deciding) return deciding;
      if (typeof left !== "boolean") failure = new CelError("no such overload");
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      failure = error;
    }
    const right = second(frame);
    if (right === deciding) return deciding;
    if (failure) throw failure;
    if (typeof right !== "boolean") throw new CelError("no such overload");
    return right;
  };
}

function conditional(condition: Code, yes: Code, no: Code): Code {
  return (frame) => {
    const value = condition(frame);
    if (typeof value !== "boolean") throw new CelError("no such overload");
    return value ? yes(frame) : no(frame);
  };
}

/** A call of the overload that fits the arguments. */
function dispatch(
  overloads: readonly Overload[],
  { args, types }: { args: readonly Code[]; types: readonly Type[] },
): Code {
  const [only] = overloads;
  if (!only) return never;
  const sure = overloads.length === 1 && types.every(isKnown);
  if (sure) return direct(only, args);
  return (frame) => {
    const values = args.map((arg) => arg(frame));
    const fitting = overloads.find(({ params }) => {
      return params.every((param, at) => isOfType(values[at] ?? null, param));
    });
    if (!fitting) throw new CelError("no such overload");
    return invoke(frame, fitting, values);
  };
}

/** Whether the value is for sure of that type; what is inside, functions look at themselves. */
function isKnown(type: Type): boolean {
  return type.kind !== "dyn" && type.kind !== "param";
}

function direct(overload: Overload, args: readonly Code[]): Code {
  const call = overload.call as unknown as (...values: Value[]) => Value;
  const { cost } = overload;
  const [first = never, second = never] = args;
  if (!cost && args.length === 1) {
    return (frame) => {
      frame.charge(1);
      return call(first(frame));
    };
  }
  if (!cost && args.length === 2) {
    return (frame) => {
      frame.charge(1);
      return call(first(frame), second(frame));
    };
  }
  return (frame) => {
    const values = args.map((arg) => arg(frame));
    return invoke(frame, overload, values);
  };
}

function invoke(
  frame: { charge(cost: number): void },
  { call, cost }: Overload,
  values: readonly Value[],
): Value {
  const result = (call as unknown as (...of: readonly Value[]) => Value)(...values);
  frame.charge(cost ? Math.ceil(cost(values, result)) : 1);
  return result;
}

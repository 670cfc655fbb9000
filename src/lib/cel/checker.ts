import type { CallNode, FoldNode, ListNode, MapNode, Node, SelectNode } from "./ast.ts";
import type { Environment } from "./environment.ts";
import { type Overload, signatureText } from "./overload.ts";
import { qualifiedName } from "./parser.ts";
import type { Issue } from "./source-errors.ts";
import * as t from "./types.ts";
import { type Type, typeText } from "./types.ts";
import { TypeValue, typeOfValue, type Value } from "./values.ts";

/** What the checker found out: enough to evaluate without looking up a name again. */
export interface Checked {
  readonly issues: readonly Issue[];
  readonly type: Type;
  /** Type of every node, without open parameters. */
  typeOf(node: Node): Type;
  /** What a call may mean; several when its arguments are only known at run time. */
  readonly overloads: ReadonlyMap<CallNode, readonly Overload[]>;
  /** Names that mean a value: those of types. */
  readonly constants: ReadonlyMap<Node, Value>;
  /** Selections that are variables with dots in their names. */
  readonly names: ReadonlyMap<SelectNode, string>;
  /** Calls whose target is only part of the function's name, as in `sets.contains(a, b)`. */
  readonly qualified: ReadonlySet<CallNode>;
}

/** Resolves names and finds the types of an expression. */
export function check(root: Node, environment: Environment): Checked {
  const checker = new Checker(environment);
  const type = checker.check(root);
  const { issues, overloads, constants, names, qualified } = checker;
  const final = (of: Type) => t.substitute(checker.bindings, of, true);
  return {
    issues,
    overloads,
    constants,
    names,
    qualified,
    type: final(type),
    typeOf: (node) => final(checker.types.get(node) ?? t.DYN),
  };
}

class Checker {
  readonly issues: Issue[] = [];
  readonly types = new Map<Node, Type>();
  readonly overloads = new Map<CallNode, readonly Overload[]>();
  readonly constants = new Map<Node, Value>();
  readonly names = new Map<SelectNode, string>();
  readonly qualified = new Set<CallNode>();
  readonly bindings: t.Bindings = new Map();
  readonly #environment: Environment;
  readonly #scopes: Map<string, Type>[] = [];
  #fresh = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  check(node: Node): Type {
    const type = this.#typeFor(node);
    this.types.set(node, type);
    return type;
  }

  #typeFor(node: Node): Type {
    switch (node.kind) {
      case "literal":
        return t.parseType(typeOfValue(node.value).replace("null_type", "null"));
      case "ident":
        return this.#name(node, node.name) ?? this.#undeclared(node, node.name);
      case "select":
        return this.#select(node);
      case "call":
        return this.#call(node);
      case "list":
        return this.#list(node);
      case "map":
        return this.#map(node);
      case "struct":
        for (const { value } of node.fields) this.check(value);
        return this.#undeclared(node, node.name);
      case "fold":
        return this.#fold(node);
    }
  }

  #issue(node: { at: number }, message: string): Type {
    this.issues.push({ at: node.at, message });
    return t.ERROR;
  }

  #undeclared(node: Node, name: string): Type {
    return this.#issue(node, `undeclared reference to '${name}' (in container '')`);
  }

  #mismatch(node: Node, wanted: Type, found: Type): Type {
    const texts = [wanted, found].map((type) => typeText(t.substitute(this.bindings, type, true)));
    return this.#issue(node, `expected type '${texts[0]}' but found '${texts[1]}'`);
  }

  #name(node: Node, name: string): Type | undefined {
    for (const scope of this.#scopes.toReversed()) {
      const type = scope.get(name);
      if (type) return type;
    }
    const type = this.#environment.variables.get(name);
    if (type) return type;
    if (!this.#environment.typeNames.has(name)) return undefined;
    this.constants.set(node, new TypeValue(name));
    return { kind: "type", of: t.DYN };
  }

  #select(node: SelectNode): Type {
    const whole = qualifiedName(node);
    const type = whole === undefined ? undefined : this.#dotted(node, whole);
    if (type) return type;
    const target = t.substitute(this.bindings, this.check(node.target));
    const inner = t.unwrapOptional(target);
    const field = this.#field(node, inner ?? target);
    if (node.test) return t.BOOL;
    return inner || node.optional ? t.optionalOf(field) : field;
  }

  /** A variable or type whose name has dots; what macros bind has none. */
  #dotted(node: SelectNode, name: string): Type | undefined {
    const { variables, typeNames } = this.#environment;
    const [first = ""] = name.split(".");
    if (this.#scopes.some((scope) => scope.has(first))) return undefined;
    const type = variables.get(name);
    if (type) this.names.set(node, name);
    return type ?? (typeNames.has(name) ? this.#name(node, name) : undefined);
  }

  #field(node: SelectNode, target: Type): Type {
    if (target.kind === "map") return target.value;
    if (target.kind === "object") {
      const field = target.fields.get(node.field);
      return field?.type ?? this.#issue(node, `undefined field '${node.field}'`);
    }
    if (target.kind === "param") {
      t.assignable(this.bindings, t.DYN, target);
      return t.DYN;
    }
    if (!t.isDynOrError(target)) {
      const text = typeText(target);
      this.#issue(node, `type '${text}' does not support field selection`);
    }
    return t.DYN;
  }

  #call(node: CallNode): Type {
    const { functions } = this.#environment;
    const { name, target, args } = node;
    const types = args.map((arg) => this.check(arg));
    if (!target) {
      const known = functions.get(name);
      if (!known) return this.#undeclared(node, name);
      return this.#resolve(node, { known, name, types, member: false });
    }
    const prefix = qualifiedName(target);
    const known = prefix === undefined ? undefined : functions.get(`${prefix}.${name}`);
    if (known) {
      this.qualified.add(node);
      return this.#resolve(node, { known, name: `${prefix}.${name}`, types, member: false });
    }
    const all = [this.check(target), ...types];
    const methods = functions.get(name);
    if (!methods) return this.#undeclared(node, name);
    return this.#resolve(node, { known: methods, name, types: all, member: true });
  }

  #resolve(
    node: CallNode,
    of: { known: readonly Overload[]; name: string; types: Type[]; member: boolean },
  ): Type {
    const { known, name, types, member } = of;
    if (name === "_&&_" || name === "_||_") return this.#logic(node, types);
    const fitting: Overload[] = [];
    let result: Type | undefined;
    for (const overload of known) {
      if (overload.member !== member) continue;
      const type = this.#apply(overload, types);
      if (!type) continue;
      fitting.push(overload);
      if (!result) result = type;
      else if (result.kind !== "dyn" && !t.sameType(result, type)) result = t.DYN;
    }
    if (!result) {
      const shown = types.map((type) => t.substitute(this.bindings, type, true));
      const signature = signatureText(shown, member);
      const message = `found no matching overload for '${name}' applied to '${signature}'`;
      return this.#issue(node, message);
    }
    this.overloads.set(node, fitting);
    return result;
  }

  #logic(node: CallNode, types: readonly Type[]): Type {
    const wrong = node.args.findIndex((_, at) => {
      return !t.assignable(this.bindings, types[at] ?? t.DYN, t.BOOL);
    });
    const arg = node.args[wrong];
    return arg ? this.#mismatch(arg, t.BOOL, types[wrong] ?? t.DYN) : t.BOOL;
  }

  /** Result type of an overload for these arguments; bindings are kept only when they fit. */
  #apply(overload: Overload, types: readonly Type[]): Type | undefined {
    const { params, typeParams, result } = overload;
    if (params.length !== types.length) return undefined;
    const own: t.Bindings = new Map(typeParams.map((name) => [name, this.#freshType()]));
    const before = new Map(this.bindings);
    const fits = types.every((type, at) => {
      return t.assignable(this.bindings, type, t.substitute(own, params[at] ?? t.DYN));
    });
    if (fits) return t.substitute(this.bindings, t.substitute(own, result));
    this.bindings.clear();
    for (const [name, type] of before) this.bindings.set(name, type);
    return undefined;
  }

  #freshType(): Type {
    return { kind: "param", name: `_var${this.#fresh++}` };
  }

  #list(node: ListNode): Type {
    let common: Type | undefined;
    for (const { value, optional } of node.items) {
      common = t.joinTypes(this.bindings, common, this.#held(value, optional));
    }
    return t.listOf(common ?? this.#freshType());
  }

  #map(node: MapNode): Type {
    let keys: Type | undefined;
    let values: Type | undefined;
    for (const { key, value, optional } of node.entries) {
      keys = t.joinTypes(this.bindings, keys, this.check(key));
      values = t.joinTypes(this.bindings, values, this.#held(value, optional));
    }
    return t.mapOf(keys ?? this.#freshType(), values ?? this.#freshType());
  }

  #held(value: Node, optional: boolean): Type {
    const type = this.check(value);
    if (!optional) return type;
    const inner = t.unwrapOptional(type);
    if (!inner && !t.isDynOrError(type)) this.#mismatch(value, t.optionalOf(type), type);
    return inner ?? type;
  }

  #fold(node: FoldNode): Type {
    const { macro, variables, filter, step } = node;
    const range = t.substitute(this.bindings, this.check(node.range));
    const scope = new Map<string, Type>();
    const bound = this.#boundTypes(node, range);
    for (const [at, name] of variables.entries()) scope.set(name, bound[at] ?? t.DYN);
    this.#scopes.push(scope);
    if (filter) this.#boolean(filter);
    const predicate = macro === "all" || macro === "exists" || macro === "exists_one";
    const inner = predicate || macro === "filter" ? this.#boolean(step) : this.check(step);
    this.#scopes.pop();
    if (predicate) return t.BOOL;
    switch (macro) {
      case "filter":
        return t.listOf(bound[0] ?? t.DYN);
      case "transformMap":
        return t.mapOf(bound[0] ?? t.DYN, inner);
      case "transformMapEntry":
        return inner.kind === "map" || t.isDynOrError(inner)
          ? inner
          : this.#mismatch(step, t.mapOf(t.DYN, t.DYN), inner);
      case "optMap":
        return t.optionalOf(inner);
      case "optFlatMap":
        return inner;
      default:
        return t.listOf(inner);
    }
  }

  #boolean(node: Node): Type {
    const type = this.check(node);
    if (!t.assignable(this.bindings, type, t.BOOL)) return this.#mismatch(node, t.BOOL, type);
    return t.BOOL;
  }

  #boundTypes(node: FoldNode, range: Type): Type[] {
    const two = node.variables.length === 2;
    if (node.macro === "optMap" || node.macro === "optFlatMap") {
      const inner = t.unwrapOptional(range);
      if (!inner && !t.isDynOrError(range)) this.#mismatch(node.range, t.optionalOf(t.DYN), range);
      return [inner ?? t.DYN];
    }
    switch (range.kind) {
      case "map":
        return two ? [range.key, range.value] : [range.key];
      case "list":
        return two ? [t.INT, range.of] : [range.of];
      case "param":
        t.assignable(this.bindings, t.DYN, range);
        return [t.DYN, t.DYN];
      case "dyn":
      case "error":
        return [t.DYN, t.DYN];
      default: {
        const message =
          `expression of type '${typeText(range)}' cannot be range of a comprehension ` +
          "(must be list, map, or dynamic)";
        this.#issue(node.range, message);
        return [t.ERROR, t.ERROR];
      }
    }
  }
}

import { CONVERSIONS } from "./functions/conversions.ts";
import { OPERATORS } from "./functions/operators.ts";
import type { Overload, Overloads } from "./overload.ts";
import { type Type, typeName } from "./types.ts";

/** What expressions may use: variables with their types, and functions. */
export interface Environment {
  readonly variables: ReadonlyMap<string, Type>;
  /** By name; methods and functions of one name together. */
  readonly functions: ReadonlyMap<string, readonly Overload[]>;
  /** Names of types that expressions may compare `type(x)` with. */
  readonly typeNames: ReadonlySet<string>;
  /** Whether there are macros that go through a list or map with two variables. */
  readonly twoVariables: boolean;
}

const TYPE_NAMES: readonly string[] = (
  "bool bytes double google.protobuf.Duration google.protobuf.Timestamp int list map null_type " +
  "string type uint"
).split(" ");

/** The standard library and further ones; variables come with `withVariables`. */
export function createEnvironment(libraries: readonly Overloads[]): Environment {
  const functions = new Map<string, Overload[]>();
  const typeNames = new Set(TYPE_NAMES);
  for (const overload of [OPERATORS, CONVERSIONS, ...libraries].flat()) {
    const known = functions.get(overload.name);
    if (known) known.push(overload);
    else functions.set(overload.name, [overload]);
    for (const type of [...overload.params, overload.result]) {
      if (type.kind === "opaque") typeNames.add(typeName(type));
    }
  }
  return { variables: new Map(), functions, typeNames, twoVariables: true };
}

/** The same functions with these variables, by name. */
export function withVariables(
  environment: Environment,
  variables: Readonly<Record<string, Type>>,
): Environment {
  return { ...environment, variables: new Map(Object.entries(variables)) };
}

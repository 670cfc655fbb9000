/** Something that reads input from outside, and what must hold for every input. */
export interface FuzzTarget<T> {
  name: string;
  /** Well-formed inputs, from which the others are made. */
  seeds: readonly T[];
  /** Errors that are answers; every other one is a finding. */
  refusals: readonly (new (
    ...args: never[]
  ) => Error)[];
  /** How many times longer an input takes than one of most targets; so many fewer are tried. */
  cost?: number;
  /** Reads the input and asserts what must hold. */
  run(input: T): void | Promise<void>;
  /** Closes what runs opened; the next one opens it again. */
  close?(): Promise<void>;
}

/** A target by the kind of its inputs, which decides how they are changed. */
export type AnyTarget =
  | ({ kind: "bytes" } & FuzzTarget<Uint8Array>)
  | ({ kind: "text" } & FuzzTarget<string>)
  | ({ kind: "json" } & FuzzTarget<unknown>);

export function bytesTarget(target: FuzzTarget<Uint8Array>): AnyTarget {
  return { kind: "bytes", ...target };
}

export function textTarget(target: FuzzTarget<string>): AnyTarget {
  return { kind: "text", ...target };
}

/** Inputs are JSON values: their shape changes as well as their scalars. */
export function jsonTarget(target: FuzzTarget<unknown>): AnyTarget {
  return { kind: "json", ...target };
}

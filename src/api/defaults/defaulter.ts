/** Fills in what the author of an object left out, in place. */
export type Defaulter = (object: object) => void;

/** The defaulters of a group-version by kind. */
export type Defaulters = Readonly<Record<string, Defaulter>>;

/** Lets a defaulter name the type of the object it is registered for. */
export function defaulter<T extends object>(apply: (object: T) => void): Defaulter {
  return apply as Defaulter;
}

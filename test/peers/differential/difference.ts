/** A place where two answers say different things. */
export interface Difference {
  /** "status", or a path such as "body.spec.ports[0].name". */
  path: string;
  /** `undefined` where a side says nothing. */
  ours: unknown;
  theirs: unknown;
}

/** Every place where two JSON values differ; the deepest that says it. */
export function differencesOf(ours: unknown, theirs: unknown, path: string): Difference[] {
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    const length = Math.max(ours.length, theirs.length);
    return Array.from({ length }, (_, at) =>
      differencesOf(ours[at], theirs[at], `${path}[${at}]`),
    ).flat();
  }
  if (isMap(ours) && isMap(theirs)) {
    const names = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
    return [...names].flatMap((name) => differencesOf(ours[name], theirs[name], `${path}.${name}`));
  }
  return Object.is(ours, theirs) ? [] : [{ path, ours, theirs }];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** One line for a person. */
export function describeDifference({ path, ours, theirs }: Difference): string {
  return `${path}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`;
}

interface Class {
  metadata?: {
    name?: string;
    creationTimestamp?: string;
    annotations?: Readonly<Record<string, string>>;
  };
}

/** Name of the class that `{domain}/is-default-class` marks; of several the newest, then by name. */
export function newestDefault(classes: readonly Class[], domain: string): string | undefined {
  const annotation = `${domain}/is-default-class`;
  const marked = classes.filter(({ metadata }) => metadata?.annotations?.[annotation] === "true");
  const rank = ({ metadata }: Class) => metadata?.creationTimestamp ?? "";
  const nameOf = ({ metadata }: Class) => metadata?.name ?? "";
  marked.sort((a, b) => {
    if (rank(a) !== rank(b)) return rank(a) < rank(b) ? 1 : -1;
    return nameOf(a) < nameOf(b) ? -1 : 1;
  });
  return marked[0]?.metadata?.name;
}

/** Whether a test changes what others rely on, and so has the cluster to itself. */
export function alone(name: string): boolean {
  return /\[(Serial|Disruptive)\]/.test(name);
}

/** Groups of tests that may run beside each other, about as large as each other. */
export function conformanceGroups(names: readonly string[], count: number): string[][] {
  const groups: string[][] = Array.from({ length: count }, () => []);
  names.filter((name) => !alone(name)).forEach((name, i) => groups[i % count]?.push(name));
  return groups.filter(({ length }) => length > 0);
}

/** A regular expression for exactly these tests, whatever their spaces. */
export function focusOn(names: readonly string[]): string {
  const one = (name: string) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/ /g, "\\s+");
  return `(?:${names.map(one).join("|")})$`;
}

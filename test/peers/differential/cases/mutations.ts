/** An object as a file has it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
}

/** A manifest in which one thing is wrong, or just different. */
export interface Mutation {
  /** "spec.replicas = -1". */
  what: string;
  mutated: object;
}

/** Stands for a member that is left out. */
const ABSENT = Symbol("absent");
const LONG = "x".repeat(300);
const KEPT: ReadonlySet<string> = new Set(["apiVersion", "kind"]);

/** What is tried in place of a value. */
function replacementsFor(value: unknown): unknown[] {
  if (typeof value === "string") return [ABSENT, "", "-Not_Good/", LONG];
  if (typeof value === "number") return [ABSENT, -1, 0, 70_000];
  if (typeof value === "boolean") return [ABSENT, !value];
  if (Array.isArray(value)) return [ABSENT, [], [...(value as unknown[]), value[0] as unknown]];
  if (value !== null && typeof value === "object") return [ABSENT, {}];
  return [];
}

/** Every member of the manifest, at any depth, replaced by what does not belong there. */
export function mutationsOf(manifest: Manifest): Mutation[] {
  const found: Mutation[] = [];
  const visit = (value: unknown, at: readonly (string | number)[]) => {
    if (at.length > 0 && !(at.length === 1 && KEPT.has(String(at[0])))) {
      for (const replacement of replacementsFor(value)) {
        found.push({
          what: `${at.join(".")} ${describe(replacement)}`,
          mutated: replaceAt(manifest, at, replacement) as object,
        });
      }
    }
    if (Array.isArray(value)) value.forEach((item, index) => visit(item, [...at, index]));
    else if (value !== null && typeof value === "object") {
      for (const [name, member] of Object.entries(value)) visit(member, [...at, name]);
    }
  };
  visit(manifest, []);
  return found;
}

function describe(replacement: unknown): string {
  if (replacement === ABSENT) return "absent";
  if (replacement === LONG) return "long";
  if (Array.isArray(replacement)) return replacement.length > 0 ? "repeated" : "empty";
  return `= ${JSON.stringify(replacement)}`;
}

function replaceAt(value: unknown, at: readonly (string | number)[], by: unknown): unknown {
  const [step, ...rest] = at;
  if (step === undefined) return by;
  if (Array.isArray(value)) {
    return value
      .map((item: unknown, index) => (index === step ? replaceAt(item, rest, by) : item))
      .filter((item) => item !== ABSENT);
  }
  const members = Object.entries(value as object).map(([name, member]) => [
    name,
    name === step ? replaceAt(member, rest, by) : (member as unknown),
  ]);
  return Object.fromEntries(members.filter(([, member]) => member !== ABSENT));
}

import type { Manifest, Mutation } from "./mutations.ts";

/** A type as OpenAPI v2 describes it. */
export interface Definition {
  type?: string;
  format?: string;
  $ref?: string;
  properties?: Readonly<Record<string, Definition>>;
  additionalProperties?: Definition;
  items?: Definition;
  "x-kubernetes-group-version-kind"?: readonly { group: string; version: string; kind: string }[];
}

/** Types by name, such as "io.k8s.api.core.v1.Pod". */
export type Definitions = Readonly<Record<string, Definition>>;

const REFERENCE = "#/definitions/";
/** How many structures deep what is added may go. */
const DEPTH = 5;
const LONG = "x".repeat(300);
/** What belongs to the server, or is tried with manifests that have it. */
const LEFT_OUT: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "status"]);
/** What many kinds describe is looked at in one of them. */
const DESCRIBED: ReadonlySet<string> = new Set([
  "PodTemplateSpec",
  "JobTemplateSpec",
  "ObjectMeta",
]);

type Path = readonly (string | number)[];

/** The type of a kind in a version that a server describes. */
export function definitionOf(definitions: Definitions, manifest: Manifest): Definition | undefined {
  const [version = "", group = ""] = manifest.apiVersion.split("/").toReversed();
  return Object.values(definitions).find((one) =>
    one["x-kubernetes-group-version-kind"]?.some(
      (known) => known.kind === manifest.kind && known.group === group && known.version === version,
    ),
  );
}

/** The manifest with one member more that its type knows, at any depth: wrong, or just there. */
export function additionsOf(manifest: Manifest, definitions: Definitions): Mutation[] {
  const found: Mutation[] = [];
  const add = (at: Path, value: unknown) => {
    const what = `${at.join(".")} + ${JSON.stringify(value)}`.slice(0, 300);
    found.push({ what, mutated: setAt(manifest, at, value) as object });
  };
  const visit = (value: unknown, of: Definition | undefined, at: Path) => {
    const type = of && resolved(of, definitions);
    if (!type || DESCRIBED.has(nameOf(of.$ref))) return;
    // Items of one list have one type: the first stands for all.
    if (Array.isArray(value)) return visit(value[0], type.items, [...at, 0]);
    if (value === null || typeof value !== "object") return;
    for (const [name, member] of Object.entries(type.properties ?? {})) {
      if (at.length === 0 && LEFT_OUT.has(name)) continue;
      const path = [...at, name];
      if (name in value) visit((value as Record<string, unknown>)[name], member, path);
      else for (const one of samplesOf(member, definitions)) add(path, one);
    }
  };
  visit(manifest, definitionOf(definitions, manifest), []);
  return found;
}

/** What a status may say, one thing at a time; as merge patches. */
export function statusesOf(manifest: Manifest, definitions: Definitions): Mutation[] {
  const status = definitionOf(definitions, manifest)?.properties?.["status"];
  if (!status) return [];
  return samplesOf(status, definitions).map((sample) => ({
    what: JSON.stringify(sample).slice(0, 300),
    mutated: { status: sample as object },
  }));
}

function nameOf($ref = ""): string {
  return $ref.split(".").at(-1) ?? "";
}

function resolved(of: Definition, definitions: Definitions): Definition {
  return of.$ref ? (definitions[of.$ref.slice(REFERENCE.length)] ?? {}) : of;
}

/**
 * Values to try for a type: empty, wrong, and for structures each of their members alone. What is
 * made of itself is looked at once; `within` are the types around it.
 */
function samplesOf(
  of: Definition,
  definitions: Definitions,
  within: readonly string[] = [],
): unknown[] {
  const { $ref } = of;
  const isKnown = $ref !== undefined && (within.includes($ref) || DESCRIBED.has(nameOf($ref)));
  if (isKnown || within.length === DEPTH) return [];
  const inside = $ref === undefined ? within : [...within, $ref];
  const type = resolved(of, definitions);
  const { properties, items, additionalProperties } = type;
  if (properties) {
    const alone = Object.entries(properties).flatMap(([name, member]) =>
      samplesOf(member, definitions, inside).map((value) => ({ [name]: value })),
    );
    return [{}, ...alone];
  }
  if (items) return samplesOf(items, definitions, inside).map((item) => [item]);
  if (additionalProperties) {
    const [value = ""] = samplesOf(additionalProperties, definitions, inside);
    return [{ "-Not_Good/": value }, { good: value }];
  }
  return scalarsOf(type);
}

function scalarsOf({ type, format }: Definition): unknown[] {
  if (type === "boolean") return [true];
  if (type === "integer") return [-1, 70_000];
  if (type !== "string") return [];
  if (format === "date-time") return ["2026-01-02T03:04:05Z"];
  if (format === "byte") return ["LQ=="];
  return format === "int-or-string" ? [-1, "-Not_Good/"] : ["", "-Not_Good/", LONG];
}

function setAt(value: unknown, at: Path, by: unknown): unknown {
  const [step, ...rest] = at;
  if (step === undefined) return by;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => (index === step ? setAt(item, rest, by) : item));
  }
  const members = value as Record<string, unknown>;
  return { ...members, [step]: setAt(members[step], rest, by) };
}

import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
} from "../../api/generated/types/apiextensions-v1.ts";

/** Which of the wanted names a definition has, and what its conditions say of it. */
export interface Acceptance {
  names: CustomResourceDefinitionNames;
  conditions: CustomResourceDefinitionCondition[];
  /** Its resources are served. */
  established: boolean;
}

interface Conflict {
  reason: string;
  message: string;
}

/** Names of a definition that its group has only once. */
const CHECKED = [
  ["plural", "PluralConflict"],
  ["singular", "SingularConflict"],
  ["shortNames", "ShortNamesConflict"],
  ["kind", "KindConflict"],
  ["listKind", "ListKindConflict"],
] as const;

/**
 * Gives a definition the names that no other definition of its group has. What it has already it
 * keeps; a definition is established when it first has all of its names, and stays so.
 */
export function acceptNames(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  time: string,
): Acceptance {
  const { spec, status } = definition;
  const taken = takenNames(definition, others);
  const names: CustomResourceDefinitionNames = {
    ...(status?.acceptedNames ?? { plural: "", kind: "" }),
  };
  const conflicts: Conflict[] = [];
  for (const [field, reason] of CHECKED) {
    const wanted = spec.names[field];
    const pool = field === "kind" || field === "listKind" ? taken.kinds : taken.resources;
    const clashing = [wanted ?? []].flat().filter((name) => pool.has(name));
    if (clashing.length === 0) Object.assign(names, { [field]: wanted });
    for (const name of clashing) {
      conflicts.push({ reason, message: `${JSON.stringify(name)} is already in use` });
    }
  }
  if (spec.names.categories) names.categories = spec.names.categories;
  else delete names.categories;
  const before = status?.conditions ?? [];
  const was = before.find(({ type }) => type === "Established")?.status === "True";
  const established = was || conflicts.length === 0;
  const keep = (condition: Omit<CustomResourceDefinitionCondition, "lastTransitionTime">) => {
    const known = before.find(({ type }) => type === condition.type);
    const same = known?.status === condition.status && known.reason === condition.reason;
    return same ? { ...known, ...condition } : { ...condition, lastTransitionTime: time };
  };
  const conditions = [keep(namesCondition(conflicts)), keep(establishedCondition(established))];
  const rest = before.filter(({ type }) => !/^(NamesAccepted|Established)$/.test(type));
  return { names: withoutAbsent(names), conditions: [...conditions, ...rest], established };
}

function takenNames(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
): { resources: Set<string>; kinds: Set<string> } {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { spec, status, metadata } of others) {
    if (spec.group !== definition.spec.group || metadata?.name === definition.metadata?.name) {
      continue;
    }
    const accepted = status?.acceptedNames;
    for (const name of [accepted?.plural, accepted?.singular, ...(accepted?.shortNames ?? [])]) {
      if (name) resources.add(name);
    }
    for (const name of [accepted?.kind, accepted?.listKind]) if (name) kinds.add(name);
  }
  return { resources, kinds };
}

type Condition = Omit<CustomResourceDefinitionCondition, "lastTransitionTime">;

function namesCondition([first, ...rest]: readonly Conflict[]): Condition {
  const type = "NamesAccepted";
  if (!first) {
    return { type, status: "True", reason: "NoConflicts", message: "no conflicts found" };
  }
  const reason = rest.length > 0 ? "MultipleConflicts" : first.reason;
  const texts = [first, ...rest].map(({ message }) => message);
  const message = texts.length > 1 ? `[${texts.join(", ")}]` : first.message;
  return { type, status: "False", reason, message };
}

function establishedCondition(established: boolean): Condition {
  const type = "Established";
  if (!established) {
    const message = "not all names are accepted";
    return { type, status: "False", reason: "NotAccepted", message };
  }
  const message = "the initial names have been accepted";
  return { type, status: "True", reason: "InitialNamesAccepted", message };
}

function withoutAbsent<T extends object>(object: T): T {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as T;
}

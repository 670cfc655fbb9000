/** What the generator knows of a group-version before it writes files. */
export interface GroupFacts {
  /** Short name of the group: "core", "apps", "rbac". */
  short: string;
  /** "" for core, "rbac.authorization.k8s.io". */
  group: string;
  version: string;
  structs: StructFact[];
  enums: EnumFact[];
}

export interface StructFact {
  name: string;
  /** Has `apiVersion` and `kind`. */
  root: boolean;
  atomic: boolean;
  fields: FieldFact[];
  /** From client markers: a resource of the API, and whether it lives in namespaces. */
  resource?: { namespaced: boolean };
}

export interface EnumFact {
  name: string;
  values: readonly string[];
}

/** One line of a facts file. `src/api/schema/facts.ts` documents the spelling. */
export interface FieldFact {
  name: string;
  type: string;
  flags: string[];
}

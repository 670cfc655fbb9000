import {
  ADMISSION,
  ADMISSION_REGISTRATION,
  API_DISCOVERY,
  API_EXTENSIONS,
  API_REGISTRATION,
  AUTHENTICATION,
  AUTHORIZATION,
  CERTIFICATES,
  FLOW_CONTROL,
} from "./descriptions/access-extension.ts";
import { CORE_CLUSTER } from "./descriptions/core-cluster.ts";
import { CORE_PODS } from "./descriptions/core-pods.ts";
import { CORE_VOLUMES } from "./descriptions/core-volumes.ts";
import { META } from "./descriptions/meta.ts";
import {
  COORDINATION,
  DISCOVERY,
  DISCOVERY_V1,
  DISCOVERY_V1BETA1,
  EVENTS,
  NETWORKING,
  NODE,
  RBAC,
  SCHEDULING,
  STORAGE,
} from "./descriptions/network-storage.ts";
import {
  APPS,
  AUTOSCALING_V1,
  AUTOSCALING_V2,
  BATCH,
  METRICS,
  POLICY,
} from "./descriptions/workloads.ts";

/**
 * What kinds and fields mean, in our own words, for `kubectl explain`. A line of text is a type or
 * (indented) one of its fields; a line indented further goes on. `A < B` says that A has the fields
 * of B, and the type `*` stands for fields that mean the same wherever they are.
 */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  "admission/v1": [ADMISSION],
  "admissionregistration/v1": [ADMISSION_REGISTRATION],
  "apidiscovery/v2": [API_DISCOVERY],
  "apiextensions/v1": [API_EXTENSIONS],
  "apiregistration/v1": [API_REGISTRATION],
  "apps/v1": [APPS],
  "authentication/v1": [AUTHENTICATION],
  "authorization/v1": [AUTHORIZATION],
  "autoscaling/v1": [AUTOSCALING_V1],
  "autoscaling/v2": [AUTOSCALING_V2],
  "batch/v1": [BATCH],
  "certificates/v1": [CERTIFICATES],
  "coordination/v1": [COORDINATION],
  "core/v1": [CORE_PODS, CORE_VOLUMES, CORE_CLUSTER],
  "discovery/v1": [DISCOVERY, DISCOVERY_V1],
  "discovery/v1beta1": [DISCOVERY, DISCOVERY_V1BETA1],
  "events/v1": [EVENTS],
  "flowcontrol/v1": [FLOW_CONTROL],
  "meta/v1": [META],
  "metrics/v1beta1": [METRICS],
  "networking/v1": [NETWORKING],
  "node/v1": [NODE],
  "policy/v1": [POLICY],
  "rbac/v1": [RBAC],
  "scheduling/v1": [SCHEDULING],
  "storage/v1": [STORAGE],
};

type Texts = Readonly<Record<string, string>>;

/** Of every object. The beginnings are those that tools look for. */
export const OBJECT_FIELDS: Readonly<Record<"apiVersion" | "kind" | "metadata", string>> = {
  apiVersion: "APIVersion defines group and version in which the object is written, as apps/v1.",
  kind: "Kind is the type of the object, in CamelCase.",
  metadata: "Standard object's metadata: name, labels and bookkeeping.",
};

/** Of every list. */
export const LIST_FIELDS: Readonly<Record<keyof typeof OBJECT_FIELDS | "items", string>> = {
  apiVersion: "APIVersion defines group and version in which the list is written, as apps/v1.",
  kind: "Kind is the type of the list, in CamelCase.",
  metadata: "Standard list metadata: the state it shows, and how to go on.",
  items: "The objects.",
};

const CONDITION_FIELDS: Texts = {
  type: "What it is about, in CamelCase.",
  status: "True, False or Unknown.",
  observedGeneration: "The generation that it is about.",
  lastTransitionTime: "When the status last changed.",
  reason: "Why, in one word.",
  message: "Why, for people.",
};

/** All of it, to tell by its hash whether anything changed. */
export function allDescriptions(): string {
  return Object.values(TEXTS).flat().join();
}

/** Reads the texts of a group when first asked for it; meant to live as long as one document. */
export class Descriptions {
  readonly #groups = new Map<string, readonly GroupText[]>();

  /** A sentence about a type. @param struct such as "core/v1.Pod" */
  ofStruct(struct: string): string | undefined {
    const { home, name } = partsOf(struct);
    for (const group of this.#textsOf(home)) {
      const text = group.get(name)?.text;
      if (text) return text;
    }
    return isListName(name) ? `A list of ${name.slice(0, -"List".length)} objects.` : undefined;
  }

  /** A sentence about a field. */
  ofField(struct: string, field: string): string | undefined {
    const { home, name } = partsOf(struct);
    const groups = this.#textsOf(home);
    for (const group of groups) {
      const own = fieldIn(group, name, field);
      if (own) return own;
    }
    const usual = isListName(name) ? LIST_FIELDS : name.endsWith("Condition") && CONDITION_FIELDS;
    const text = usual && (usual as Texts)[field];
    if (text) return text;
    for (const group of groups) {
      const shared = group.get("*")?.fields.get(field);
      if (shared) return shared;
    }
    return (OBJECT_FIELDS as Texts)[field];
  }

  /** All that is described, so that a test can tell what is no longer there. */
  entries(): { struct: string; field: string | undefined }[] {
    return Object.keys(TEXTS).flatMap((home) =>
      this.#textsOf(home).flatMap((group) =>
        [...group].flatMap(([name, { fields }]) => {
          const struct = `${home}.${name}`;
          return [undefined, ...fields.keys()].map((field) => ({ struct, field }));
        }),
      ),
    );
  }

  #textsOf(home: string): readonly GroupText[] {
    const known = this.#groups.get(home);
    if (known) return known;
    const read = (TEXTS[home] ?? []).map(parse);
    this.#groups.set(home, read);
    return read;
  }
}

interface TypeText {
  text: string;
  /** Type whose fields this one has as well. */
  like: string | undefined;
  fields: Map<string, string>;
}

type GroupText = ReadonlyMap<string, TypeText>;

function isListName(name: string): boolean {
  return name.endsWith("List");
}

function partsOf(struct: string): { home: string; name: string } {
  const dot = struct.indexOf(".");
  return { home: struct.slice(0, dot), name: struct.slice(dot + 1) };
}

function fieldIn(group: GroupText, name: string, field: string): string | undefined {
  const type = group.get(name);
  return type?.fields.get(field) ?? (type?.like ? fieldIn(group, type.like, field) : undefined);
}

function parse(source: string): GroupText {
  const group = new Map<string, TypeText>();
  let type: TypeText = { text: "", like: undefined, fields: new Map() };
  for (const line of source.replaceAll("\n  ", " ").split("\n")) {
    const colon = line.indexOf(": ");
    const head = colon < 0 ? line : line.slice(0, colon);
    const text = colon < 0 ? "" : line.slice(colon + 2);
    if (head.startsWith(" ")) type.fields.set(head.slice(1), text);
    else if (head !== "") {
      const [name = "", like] = head.split(" < ");
      type = { text, like, fields: new Map() };
      group.set(name, type);
    }
  }
  return group;
}

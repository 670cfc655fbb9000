import type { Page } from "../http/page.ts";
import { createHash } from "node:crypto";
import type { Resource } from "../../api/resource.ts";
import type { ProtobufEncoder } from "../codec/protobuf-encoder.ts";
import { PROTOBUF_TYPE } from "../codec/protobuf-media-type.ts";
import {
  type AcceptClause,
  checkRouted,
  hasStream,
  isTransform,
  MEDIA_TYPES,
  notAcceptable,
  parseAccept,
} from "../http/negotiation.ts";
import type { ResourceRegistry, ServedResource } from "../resource-registry.ts";
import { groupPriorityOf, isBuiltInGroup } from "../aggregation/group-priority.ts";
import { subresourceFacts } from "./subresource-kinds.ts";

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
type Json = Record<string, unknown>;
type Aggregated = "v2" | "v2beta1";

/** In which form a document is given. */
interface Form {
  /** Media type. */
  type: string;
  aggregated: Aggregated | undefined;
}

const PLAIN_JSON: Form = { type: "application/json", aggregated: undefined };

/** What discovery needs beside the resources. */
export interface DiscoveryParts {
  serverAddress: () => string;
  remotes: RemoteDiscovery | undefined;
  encoder: ProtobufEncoder;
}

/** The documents under /api and /apis, made when asked for and kept until a resource changes. */
export class Discovery {
  readonly #registry: ResourceRegistry;
  readonly #serverAddress: () => string;
  readonly #remotes: RemoteDiscovery | undefined;
  readonly #encoder: ProtobufEncoder;
  #documents = new Map<string, Page>();
  #generation = -1;

  constructor(registry: ResourceRegistry, of: DiscoveryParts) {
    this.#registry = registry;
    this.#serverAddress = of.serverAddress;
    this.#remotes = of.remotes;
    this.#encoder = of.encoder;
  }

  /**
   * The document of a path without trailing slash; `undefined` when there is none.
   * @throws StatusError NotAcceptable
   */
  document(path: string, accept: string | undefined): Page | undefined {
    const generation = this.#registry.generation + (this.#remotes?.generation ?? 0);
    if (this.#generation !== generation) {
      this.#documents = new Map();
      this.#generation = generation;
    }
    if (!/^\/apis?(\/|$)/.test(path)) return undefined;
    if (isRouted(path)) checkRouted(accept, MEDIA_TYPES);
    const form = formAsked(accept, path === "/api" || path === "/apis");
    if (!form) {
      if (this.#plain(path)) throw notAcceptable();
      return undefined;
    }
    const name = `${path}#${form.aggregated ?? ""}#${form.type}`;
    let document = this.#documents.get(name);
    if (document) return document;
    const { aggregated } = form;
    const value = aggregated ? this.#aggregated(path, aggregated) : this.#plain(path);
    if (!value) return undefined;
    document = this.#encode(value, form);
    this.#documents.set(name, document);
    return document;
  }

  #encode(value: Json, { type, aggregated }: Form): Page {
    // JSON is YAML as well.
    const bytes =
      type === PROTOBUF_TYPE
        ? this.#encoder.encode({ apiVersion: "v1", ...value })
        : Buffer.from(`${JSON.stringify(value)}\n`);
    const etag = `"${createHash("sha512").update(bytes).digest("hex").toUpperCase()}"`;
    const parameters = aggregated
      ? `;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`
      : "";
    return { contentType: `${type}${parameters}`, etag, bytes };
  }

  #aggregated(path: string, version: Aggregated): Json {
    const core = path === "/api";
    const items = this.#groups()
      .filter(({ group }) => (group === "") === core)
      .map(({ group, versions }) => ({
        metadata: { ...(group ? { name: group } : {}), creationTimestamp: null },
        versions: versions.map(({ version: name, resources, remote }) => ({
          version: name,
          resources: remote?.resources ?? resources.map(aggregatedResource),
          freshness: remote?.available === false ? "Stale" : "Current",
        })),
      }));
    return {
      kind: "APIGroupDiscoveryList",
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items,
    };
  }

  #plain(path: string): Json | undefined {
    const [, root, first, second, ...more] = path.split("/");
    if (more.length > 0) return undefined;
    if (root === "api") {
      if (first === undefined) return this.#coreVersions();
      return second === undefined ? this.#resourceList("", first) : undefined;
    }
    if (root !== "apis") return undefined;
    const groups = this.#groups().filter(({ group }) => group !== "");
    if (first === undefined) {
      return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(groupOf) };
    }
    if (second !== undefined) return this.#resourceList(first, second);
    const group = groups.find((candidate) => candidate.group === first);
    return group && { kind: "APIGroup", apiVersion: "v1", ...groupOf(group) };
  }

  #coreVersions(): Json {
    const serverAddress = this.#serverAddress();
    return {
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
    };
  }

  #resourceList(group: string, version: string): Json | undefined {
    const resources = this.#registry
      .all()
      .filter(({ resource, unlisted }) => {
        return !unlisted && resource.group === group && resource.version === version;
      })
      .sort(byName)
      .flatMap(listEntries);
    if (resources.length === 0) return undefined;
    const kind = "APIResourceList";
    // Older than versions of discovery itself, the list of the core group has none.
    if (group === "") return { kind, groupVersion: version, resources };
    return { kind, apiVersion: "v1", groupVersion: `${group}/${version}`, resources };
  }

  #groups(): Group[] {
    const groups = new Map<string, Map<string, ServedResource[]>>();
    for (const served of this.#registry.all()) {
      if (served.unlisted) continue;
      const { group, version } = served.resource;
      const versions = groups.get(group) ?? new Map<string, ServedResource[]>();
      groups.set(group, versions);
      const resources = versions.get(version);
      if (resources) resources.push(served);
      else versions.set(version, [served]);
    }
    const local = [...groups]
      .map(([group, versions]) => ({
        group,
        versions: [...versions]
          .map(([version, of]): GroupVersion => ({ version, resources: of.sort(byName) }))
          .sort((a, b) => compareVersions(a.version, b.version)),
      }))
      .sort(byPriority);
    return this.#remotes ? withRemotes(local, this.#remotes.groupVersions()) : local;
  }
}

interface GroupVersion {
  version: string;
  resources: ServedResource[];
  /** Another server answers for it. */
  remote?: RemoteVersion;
}

interface Group {
  group: string;
  versions: GroupVersion[];
}

/** A group-version of another server, as discovery shows it. */
export interface RemoteVersion {
  group: string;
  version: string;
  groupPriority: number;
  available: boolean;
  /** Entries of aggregated discovery. */
  resources: readonly Json[];
}

/** What other servers add to discovery. */
export interface RemoteDiscovery {
  /** Grows with every change. */
  readonly generation: number;
  /** Those of high priority first. */
  groupVersions(): readonly RemoteVersion[];
}

/**
 * Groups that are part of every server answer for versions that they do not have, too; who asks for
 * a group of nobody gets no answer of the API's.
 */
export function isOfBuiltInGroup(path: string): boolean {
  const [, root, group = ""] = path.split("/");
  return root === "api" || (root === "apis" && isBuiltInGroup(group));
}

/** In the order in which `kubectl get all` shows kinds. */
function byName({ resource: { plural: a } }: ServedResource, b: ServedResource): number {
  return a < b.resource.plural ? -1 : 1;
}

/** As an aggregator orders them: of names that several groups have, clients take the first one. */
function byPriority({ group: a }: Group, { group: b }: Group): number {
  return groupPriorityOf(b) - groupPriorityOf(a) || (a < b ? -1 : 1);
}

/** Puts the groups of others where their priority wants them. */
function withRemotes(local: readonly Group[], remotes: readonly RemoteVersion[]): Group[] {
  const groups = [...local];
  for (const remote of remotes) {
    const { group, version, groupPriority } = remote;
    const entry: GroupVersion = { version, resources: [], remote };
    const known = groups.findIndex((each) => each.group === group);
    const before = groups[known];
    if (before) {
      const others = before.versions.filter((each) => each.version !== version);
      groups[known] = { group, versions: [...others, entry] };
      continue;
    }
    const at = groups.findIndex(
      (each) => each.group !== "" && groupPriorityOf(each.group) < groupPriority,
    );
    groups.splice(at < 0 ? groups.length : at, 0, { group, versions: [entry] });
  }
  return groups;
}

/** Stable before beta before alpha, and newer before older. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionRank(a), versionRank(b)];
  for (const [at, rank] of left.entries()) {
    const other = right[at] ?? 0;
    if (rank !== other) return other - rank;
  }
  return a < b ? -1 : 1;
}

function versionRank(version: string): number[] {
  const found = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!found) return [0, 0, 0];
  const stage = found[2] === "alpha" ? 1 : found[2] === "beta" ? 2 : 3;
  return [stage, Number(found[1]), Number(found[3] ?? 0)];
}

/**
 * What a client likes best. Documents of all groups at once are only at the roots, and who names
 * them at all gets them there.
 */
function formAsked(accept: string | undefined, isRoot: boolean): Form | undefined {
  if (!accept) return PLAIN_JSON;
  const clauses = parseAccept(accept).filter((clause) => hasStream(clause));
  const forms = clauses.map((clause) => formOf(clause));
  const aggregated = isRoot ? forms.find((form) => form?.aggregated) : undefined;
  return aggregated ?? forms.find((form) => form && !form.aggregated);
}

function formOf(clause: AcceptClause): Form | undefined {
  const { type: asked, parameters } = clause;
  const isAny = asked === "*/*" || asked === "application/*";
  const type = isAny ? "application/json" : asked;
  if (!MEDIA_TYPES.includes(type) || parameters.get("sv")) return undefined;
  if (!isTransform(clause)) return { type, aggregated: undefined };
  const isKnown =
    parameters.get("as") === "APIGroupDiscoveryList" &&
    parameters.get("g") === "apidiscovery.k8s.io";
  const version = parameters.get("v");
  if (!isKnown) return undefined;
  if (version === "v2" || (version === "v2beta1" && type !== PROTOBUF_TYPE)) {
    return { type, aggregated: version };
  }
  return undefined;
}

/** Roots of groups, and what definitions add, are found without a look at what is accepted. */
function isRouted(path: string): boolean {
  const [, root, group = "", version] = path.split("/");
  return root === "api" || (version !== undefined && isBuiltInGroup(group));
}

function groupOf({ group, versions }: Group): Json {
  const entries = versions.map(({ version }) => ({
    groupVersion: `${group}/${version}`,
    version,
  }));
  return { name: group, versions: entries, preferredVersion: entries[0] };
}

function verbsOf(resource: Resource): readonly string[] {
  return resource.verbs ?? VERBS;
}

function namesOf(resource: Resource): Json {
  const { shortNames, categories } = resource;
  return {
    ...(shortNames?.length ? { shortNames } : {}),
    ...(categories?.length ? { categories } : {}),
  };
}

function aggregatedResource({ resource }: ServedResource): Json {
  const { group, version, kind, plural, singular, subresources = [] } = resource;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs: verbsOf(resource),
    ...namesOf(resource),
    ...(subresources.length > 0
      ? {
          subresources: [...subresources].sort().map((subresource) => {
            const facts = subresourceFacts(plural, subresource);
            const responseKind = facts.kind ?? { group, version, kind };
            return { subresource, responseKind, verbs: facts.verbs };
          }),
        }
      : {}),
  };
}

/** Tells migrations of stored objects when a kind is stored otherwise than before. */
function storageHash({ storedAs, resource: { kind } }: ServedResource): string {
  const name = `${storedAs.includes("/") ? storedAs : `/${storedAs}`}/${kind}`;
  return createHash("sha256").update(name).digest().subarray(0, 8).toString("base64");
}

function listEntries(served: ServedResource): Json[] {
  const { resource } = served;
  const { group, version, plural, singular, kind, namespaced, subresources = [] } = resource;
  const main = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: verbsOf(resource),
    ...namesOf(resource),
    ...(verbsOf(resource).includes("watch") ? { storageVersionHash: storageHash(served) } : {}),
  };
  const rest = [...subresources].sort().map((subresource) => {
    const facts = subresourceFacts(plural, subresource);
    const { kind: own } = facts;
    const isOther = own !== undefined && (own.group !== group || own.version !== version);
    const other = isOther ? { group: own.group, version: own.version } : {};
    return {
      name: `${plural}/${subresource}`,
      singularName: "",
      namespaced,
      ...other,
      kind: facts.kind?.kind ?? kind,
      verbs: facts.verbs,
    };
  });
  return [main, ...rest];
}

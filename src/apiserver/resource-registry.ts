import type { CommonSpec } from "../api/common-spec.ts";
import type { Resource } from "../api/resource.ts";
import type { SchemaModel, StructType } from "../api/schema/model.ts";
import type { StatusCause } from "../api/status.ts";
import type { TableKind } from "../api/table/table-kind.ts";
import type { Allocate } from "../format/json-canonical.ts";
import type { Codec } from "./codec/codec.ts";
import type { KubeObject } from "./kube-object.ts";
import type { ServedConversion } from "./custom-resource/conversion/served-conversion.ts";
import type { CommonSpecs } from "./rest/common-specs.ts";
import type { Strategy } from "./strategy/strategy.ts";
import type { AttributesOf } from "./watch-cache/cached-object.ts";
import type { WatchCache } from "./watch-cache/watch-cache.ts";

/** Paths of the fields that the scale of a custom resource stands for, by names of fields. */
export interface ScalePaths {
  wanted: readonly string[];
  actual: readonly string[];
  /** A selector as text. */
  selector?: readonly string[];
}

/** A resource that this server stores and serves. */
export interface ServedResource {
  resource: Resource;
  /** "v1" or "group/version". */
  apiVersion: string;
  /** Name in the store. */
  storage: string;
  /** What `apiVersion` stored objects have. */
  storedAs: string;
  strategy: Strategy;
  codec: Codec;
  /** From stored bytes to those for the wire, which carry `metadata.resourceVersion`. */
  splice(bytes: Uint8Array, revision: number, allocate?: Allocate): Uint8Array;
  /** Of what is stored; with a `conversion` in whatever version that is. */
  cache: WatchCache;
  /** Between stored and served objects, where a webhook has to convert them. */
  conversion?: ServedConversion;
  attributesOf: AttributesOf;
  /** Fields that selectors of a custom resource may name. */
  selectable: readonly string[];
  /** Updates of the object and of its status are apart. */
  hasStatus: boolean;
  /** Defined by a CustomResourceDefinition. */
  custom: boolean;
  /** Nothing changes the parts of an object in place: what a patch leaves alone is not copied. */
  keepsParts?: boolean;
  /** What users of a deprecated version are told with every answer. */
  deprecation?: string;
  /** Served to who asks, but told to nobody: neither discovery nor OpenAPI lists it. */
  unlisted?: boolean;
  /** For strategic merge; custom resources have none. */
  model: SchemaModel | undefined;
  struct: StructType | undefined;
  /** OpenAPI schema of a custom resource. */
  schema?: Record<string, unknown>;
  /** Where a custom resource keeps what its scale shows. */
  scale?: ScalePaths;
  /** Columns of a custom resource. */
  table?: TableKind<KubeObject>;
  /** For kinds of which many have the same spec. */
  commonSpecs?: CommonSpecs | undefined;
  /** @throws StatusError Invalid */
  validateCreate(object: KubeObject, common?: CommonSpec): void;
  /** @throws StatusError Invalid */
  validateUpdate(object: KubeObject, old: KubeObject, subresource: string | undefined): void;
  /** The refusal of an object of this kind. */
  invalid(name: string, causes: StatusCause[]): Error;
}

/** All resources that are served now; custom ones come and go. */
export class ResourceRegistry {
  readonly #served = new Map<string, ServedResource>();
  /** Answers of `of`: every request asks it several times, with the same few resources. */
  readonly #known = new Map<Resource, ServedResource>();
  readonly #listeners = new Set<() => void>();
  #generation = 0;

  add(served: ServedResource): void {
    const { group, version, plural } = served.resource;
    this.#served.set(`${group}/${version}/${plural}`, served);
    this.#changed();
  }

  remove(resource: { group: string; version: string; plural: string }): void {
    this.#served.delete(`${resource.group}/${resource.version}/${resource.plural}`);
    this.#changed();
  }

  /** Tells of every change, once it is made. Listeners must not throw. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#served.get(`${group}/${version}/${plural}`);
  }

  /** Whether anything of a group is served. */
  hasGroup(group: string): boolean {
    return [...this.#served.values()].some(({ resource }) => resource.group === group);
  }

  /** The entry that serves exactly this group, version and resource. */
  of(resource: Resource): ServedResource | undefined {
    const known = this.#known.get(resource);
    if (known) return known;
    const served = this.find(resource.group, resource.version, resource.plural);
    if (served) this.#known.set(resource, served);
    return served;
  }

  /** In the order of their registration. */
  all(): ServedResource[] {
    return [...this.#served.values()];
  }

  #changed(): void {
    this.#generation++;
    this.#known.clear();
    for (const listener of this.#listeners) listener();
  }

  /** Grows with every change, so that discovery documents know when they are stale. */
  get generation(): number {
    return this.#generation;
  }
}

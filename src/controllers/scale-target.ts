import { isNotFound } from "../api/errors.ts";
import type { Scale } from "../api/generated/types/autoscaling-v1.ts";
import type { CrossVersionObjectReference } from "../api/generated/types/autoscaling-v2.ts";
import type { Resource } from "../api/resource.ts";
import { pathOf } from "../api/resource.ts";
import type { Transport } from "../api/transport.ts";

interface ApiResourceList {
  resources?: { name: string; kind: string; namespaced: boolean }[];
}

interface ApiGroup {
  versions?: { version: string }[];
}

/** No version of the group has such a kind. */
export class UnknownKindError extends Error {
  override readonly name = "UnknownKindError";
}

/** A kind as a version of a group may have it. */
interface KindIn {
  group: string;
  version: string;
  kind: string;
}

/** Finds and changes the size of anything that has one. */
export class ScaleTargets {
  readonly #transport: Transport;
  readonly #known = new Map<string, Resource>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @throws UnknownKindError, or a StatusError when the object is unknown or has no size */
  async read(namespace: string, reference: CrossVersionObjectReference): Promise<Scale> {
    const path = await this.#path(namespace, reference);
    return (await this.#transport.request({ method: "GET", path })).body as Scale;
  }

  async resize(
    namespace: string,
    reference: CrossVersionObjectReference,
    scale: Scale,
  ): Promise<void> {
    const path = await this.#path(namespace, reference);
    await this.#transport.request({ method: "PUT", path, body: scale });
  }

  /** Whether objects of the kind have a size at all. @throws UnknownKindError */
  async hasScale(reference: CrossVersionObjectReference): Promise<boolean> {
    const { group, version, plural } = await this.resource(reference);
    const kinds = await this.#kindsAt(group ? `/apis/${group}/${version}` : `/api/${version}`);
    return kinds.some(({ name }) => name === `${plural}/scale`);
  }

  /** Plural of a kind, such as "deployments". @throws Error */
  async resource(reference: CrossVersionObjectReference): Promise<Resource> {
    const { kind, apiVersion = "v1" } = reference;
    const key = `${apiVersion}/${kind}`;
    const known = this.#known.get(key);
    if (known) return known;
    const [named = "v1", group = ""] = apiVersion.split("/").toReversed();
    const resource =
      (await this.#find({ group, version: named, kind })) ??
      (await this.#findElsewhere({ group, version: named, kind }));
    if (!resource) throw new UnknownKindError(`no matches for kind "${kind}" in group "${group}"`);
    this.#known.set(key, resource);
    return resource;
  }

  async #find({ group, version, kind }: KindIn): Promise<Resource | undefined> {
    const path = group ? `/apis/${group}/${version}` : `/api/${version}`;
    const found = (await this.#kindsAt(path)).find(
      (one) => one.kind === kind && !one.name.includes("/"),
    );
    if (!found) return undefined;
    const { name, namespaced } = found;
    return { group, version, plural: name, singular: "", kind, namespaced };
  }

  /** A version that is no longer served names a kind as well as one that is. */
  async #findElsewhere({ group, version: named, kind }: KindIn): Promise<Resource | undefined> {
    for (const version of group ? await this.#versionsOf(group) : []) {
      const found = version === named ? undefined : await this.#find({ group, version, kind });
      if (found) return found;
    }
    return undefined;
  }

  async #versionsOf(group: string): Promise<string[]> {
    const { versions = [] } = ((await this.#read(`/apis/${group}`)) ?? {}) as ApiGroup;
    return versions.map(({ version }) => version);
  }

  /** None when there is no such version. */
  async #kindsAt(path: string): Promise<NonNullable<ApiResourceList["resources"]>> {
    return ((await this.#read(path)) as ApiResourceList | undefined)?.resources ?? [];
  }

  /** Undefined when there is nothing. */
  async #read(path: string): Promise<unknown> {
    try {
      return (await this.#transport.request({ method: "GET", path })).body;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #path(namespace: string, reference: CrossVersionObjectReference): Promise<string> {
    const resource = await this.resource(reference);
    return pathOf(resource, { namespace, name: reference.name, subresource: "scale" });
  }
}

import { isNotFound } from "../api/errors.ts";
import type { Scale } from "../api/generated/types/autoscaling-v1.ts";
import type { CrossVersionObjectReference } from "../api/generated/types/autoscaling-v2.ts";
import type { Resource } from "../api/resource.ts";
import { pathOf } from "../api/resource.ts";
import type { Transport } from "../api/transport.ts";

interface ApiResourceList {
  resources?: { name: string; kind: string; namespaced: boolean }[];
}

/** The version has no such kind. */
export class UnknownKindError extends Error {
  override readonly name = "UnknownKindError";
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

  /** Plural of a kind, such as "deployments". @throws Error */
  async resource(reference: CrossVersionObjectReference): Promise<Resource> {
    const { kind, apiVersion = "v1" } = reference;
    const key = `${apiVersion}/${kind}`;
    const known = this.#known.get(key);
    if (known) return known;
    const [version = "v1", group = ""] = apiVersion.split("/").toReversed();
    const path = group ? `/apis/${group}/${version}` : `/api/${version}`;
    const found = (await this.#kindsAt(path)).find(
      (one) => one.kind === kind && !one.name.includes("/"),
    );
    if (!found) throw new UnknownKindError(`no matches for kind "${kind}" in group "${group}"`);
    const { name, namespaced } = found;
    const resource = { group, version, plural: name, singular: "", kind, namespaced };
    this.#known.set(key, resource);
    return resource;
  }

  /** None when there is no such version. */
  async #kindsAt(path: string): Promise<NonNullable<ApiResourceList["resources"]>> {
    try {
      const { body } = await this.#transport.request({ method: "GET", path });
      return (body as ApiResourceList).resources ?? [];
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  }

  async #path(namespace: string, reference: CrossVersionObjectReference): Promise<string> {
    const resource = await this.resource(reference);
    return pathOf(resource, { namespace, name: reference.name, subresource: "scale" });
  }
}

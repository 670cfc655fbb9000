import { isNotFound } from "../../api/errors.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
} from "../../api/generated/types/apiextensions-v1.ts";
import type { SchemaModel } from "../../api/schema/model.ts";
import type { Environment } from "../../lib/cel/environment.ts";
import { createKubernetesEnvironment } from "../../lib/cel/kubernetes-environment.ts";
import { formatTime } from "../../lib/clock.ts";
import { copyJson } from "../../lib/json-copy.ts";
import type { StartCache } from "../built-in-resources.ts";
import type { Engine } from "../engine.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
import type { ServedResource } from "../resource-registry.ts";
import { deleteCollection } from "../rest/delete.ts";
import { selfCall } from "../rest/self-call.ts";
import { updateObject } from "../rest/update.ts";
import { CLEANUP_FINALIZER } from "../strategy/custom-resource-definition.ts";
import type { CacheEvent } from "../watch-cache/cache-event.ts";
import type { ConversionParts } from "./conversion/webhook-conversion.ts";
import { type Acceptance, acceptNames } from "./name-acceptance.ts";
import { serveVersion } from "./served-version.ts";

const DELETION_IN_PROGRESS = {
  reason: "InstanceDeletionInProgress",
  message: "CustomResource deletion is in progress",
};
const DELETION_DONE = {
  reason: "InstanceDeletionCompleted",
  message: "removed all instances",
};

export interface CustomResourcesParts {
  engine: Engine;
  definitions: ServedResource;
  base: SchemaModel;
  startCache: StartCache;
  /** Calls conversion webhooks. */
  webhooks: ConversionParts;
}

/**
 * Serves what CustomResourceDefinitions describe. Changes are taken in order, one after another:
 * a definition is Established once its resources are served and in discovery.
 */
export class CustomResources implements Disposable {
  readonly #parts: CustomResourcesParts;
  /** By name of the definition. */
  readonly #served = new Map<string, ServedResource[]>();
  /** Definitions that wait for the finalizers of their objects. */
  readonly #emptying = new Set<string>();
  #subscription: Disposable | undefined;
  /** Made for the first definition with rules, and shared by all. */
  #expressions: Environment | undefined;
  #work: Promise<void> = Promise.resolve();

  private constructor(parts: CustomResourcesParts) {
    this.#parts = parts;
  }

  /** Serves all definitions that exist and follows the rest. */
  static async start(parts: CustomResourcesParts): Promise<CustomResources> {
    const custom = new CustomResources(parts);
    const { cache } = parts.definitions;
    for (const key of cache.keys("")) custom.#take(cache.get(key)?.object());
    await custom.#work;
    custom.#subscription = cache.follow({
      deliver: (event) => custom.#deliver(event),
      ended: () => {},
    });
    return custom;
  }

  [Symbol.dispose](): void {
    this.#subscription?.[Symbol.dispose]();
  }

  #deliver(event: CacheEvent): void {
    if (!event.removed) return this.#take(event.object.object());
    this.#enqueue(() => this.#forget(event.key));
    // The names that went are free for those that wanted them, too.
    const { cache } = this.#parts.definitions;
    for (const key of cache.keys("")) {
      const object = cache.get(key)?.object();
      if (object && !hasAllNames(object)) this.#take(object);
    }
  }

  #take(object: KubeObject | undefined): void {
    if (!object) return;
    const definition = object as unknown as CustomResourceDefinition;
    this.#enqueue(() => this.#reconcile(definition));
  }

  #enqueue(job: () => Promise<void> | void): void {
    const { logger } = this.#parts.engine;
    this.#work = this.#work.then(job).catch((error: unknown) => {
      logger.error("a custom resource definition could not be served", { error });
    });
  }

  async #reconcile(definition: CustomResourceDefinition): Promise<void> {
    const name = definition.metadata?.name ?? "";
    const { names, established } = this.#accept(definition);
    if (established) {
      await this.#serve(name, { ...definition, spec: { ...definition.spec, names } });
    }
    if (definition.metadata?.deletionTimestamp) return this.#cleanUp(name, definition);
    await this.#update(name, (old) => {
      const object = copyJson(old);
      const accepted = this.#accept(old as unknown as CustomResourceDefinition);
      const { conditions } = accepted;
      object["status"] = {
        ...fieldOf(object, "status"),
        conditions,
        acceptedNames: accepted.names,
      };
      return object;
    });
  }

  #accept(definition: CustomResourceDefinition): Acceptance {
    const { cache } = this.#parts.definitions;
    const others = cache.keys("").flatMap((key) => cache.get(key)?.object() ?? []);
    const time = formatTime(this.#parts.engine.clock.now());
    return acceptNames(definition, others as unknown as CustomResourceDefinition[], time);
  }

  async #serve(name: string, definition: CustomResourceDefinition): Promise<void> {
    const { engine, base, startCache, webhooks } = this.#parts;
    const before = this.#served.get(name) ?? [];
    const now: ServedResource[] = [];
    for (const version of definition.spec.versions) {
      if (!version.served) continue;
      const same = before.find(({ resource }) => resource.version === version.name);
      const expressions = () => (this.#expressions ??= createKubernetesEnvironment());
      const parts = { base, startCache, expressions, webhooks, before: same };
      now.push(await serveVersion(definition, version, parts));
    }
    const gone = before.filter(({ cache }) => !now.some((served) => served.cache === cache));
    for (const { resource } of gone) engine.registry.remove(resource);
    for (const served of now) engine.registry.add(served);
    // Watches of these end only now: who comes back finds the new ones.
    for (const { cache } of gone) cache[Symbol.dispose]();
    this.#served.set(name, now);
  }

  #forget(name: string): void {
    for (const { resource, cache } of this.#served.get(name) ?? []) {
      this.#parts.engine.registry.remove(resource);
      cache[Symbol.dispose]();
    }
    this.#served.delete(name);
  }

  /** Deletes all objects of a definition that is going, then lets it go. */
  async #cleanUp(name: string, definition: CustomResourceDefinition): Promise<void> {
    if (!definition.metadata?.finalizers?.includes(CLEANUP_FINALIZER)) return;
    const all = this.#served.get(name) ?? [];
    const stored = definition.spec.versions.find(({ storage }) => storage)?.name;
    // In the stored version no webhook is needed, which may be gone already.
    const served = all.find(({ resource }) => resource.version === stored) ?? all[0];
    if (served && served.cache.size > 0) {
      if (this.#emptying.has(name)) return;
      await this.#update(name, (old) => {
        return this.#terminating(old, { status: "True", ...DELETION_IN_PROGRESS });
      });
      const call = selfCall(served);
      await deleteCollection(this.#parts.engine, { ...call, method: "DELETE" });
      if (served.cache.size > 0) return this.#retryWhenEmpty(served, definition);
    }
    await this.#update(name, (old) => {
      const object = this.#terminating(old, { status: "False", ...DELETION_DONE });
      const { finalizers = [] } = object.metadata;
      object.metadata.finalizers = finalizers.filter((each) => each !== CLEANUP_FINALIZER);
      return object;
    });
  }

  /** Objects with finalizers take their time; others may hold the definition for long. */
  #retryWhenEmpty(served: ServedResource, definition: CustomResourceDefinition): void {
    const { cache } = served;
    const name = definition.metadata?.name ?? "";
    this.#emptying.add(name);
    const subscription = cache.follow({
      deliver: () => {
        if (cache.size > 0) return;
        subscription[Symbol.dispose]();
        this.#emptying.delete(name);
        this.#enqueue(() => this.#cleanUp(name, definition));
      },
      ended: () => this.#emptying.delete(name),
    });
  }

  #terminating(old: KubeObject, of: Omit<CustomResourceDefinitionCondition, "type">): KubeObject {
    const object = copyJson(old);
    const { conditions = [] } = (object as unknown as CustomResourceDefinition).status ?? {};
    const others = conditions.filter(({ type }) => type !== "Terminating");
    const lastTransitionTime = formatTime(this.#parts.engine.clock.now());
    const condition = { type: "Terminating", ...of, lastTransitionTime };
    object["status"] = { ...fieldOf(object, "status"), conditions: [...others, condition] };
    return object;
  }

  async #update(name: string, wanted: (old: KubeObject) => KubeObject): Promise<void> {
    const call = selfCall(this.#parts.definitions, { name, subresource: "status" });
    try {
      await updateObject(this.#parts.engine, call, { wanted, scope: (object) => object });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function hasAllNames(object: KubeObject): boolean {
  const { status } = object as unknown as CustomResourceDefinition;
  const conditions = status?.conditions ?? [];
  return conditions.some(({ type, status: is }) => type === "NamesAccepted" && is === "True");
}

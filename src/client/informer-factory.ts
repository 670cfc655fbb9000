import { type Resource, storageNameOf } from "../api/resource.ts";
import type { Change, Informer, InformerFactory, InformerOptions } from "./informer.ts";
import { CONTROLLER_INDEX, ObjectCache } from "./object-cache.ts";
import { Reflector, type ReflectorDeps } from "./reflector.ts";

/** Creates a factory; disposing it stops every informer that it gave out. */
export function createInformerFactory(deps: ReflectorDeps): InformerFactory {
  const shared = new Map<string, SharedInformer<unknown>>();
  return {
    informer<T>(resource: Resource<T>, options: InformerOptions = {}): Informer<T> {
      const { namespace = "", labelSelector = "", fieldSelector = "", projection } = options;
      const part = projection?.name ?? "";
      const storage = storageNameOf(resource);
      const key = [storage, namespace, labelSelector, fieldSelector, part].join("|");
      let informer = shared.get(key) as SharedInformer<T> | undefined;
      if (!informer) {
        informer = new SharedInformer({ resource, options, deps }, () => shared.delete(key));
        shared.set(key, informer as SharedInformer<unknown>);
      }
      return informer.share();
    },
    async [Symbol.asyncDispose]() {
      const running = [...shared.values()];
      shared.clear();
      await Promise.all(running.map((informer) => informer.stop()));
    },
  };
}

/** One cache and one watch, however many hold a share of it; ends with the last share. */
class SharedInformer<T> {
  readonly cache = new ObjectCache<T>();
  readonly synced: Promise<void>;
  readonly resource: Resource<T>;
  hasSynced = false;
  readonly #handlers = new Set<(change: Change<T>) => void>();
  readonly #reflector: Reflector<T>;
  readonly #running: Promise<void>;
  readonly #onUnused: () => void;
  #shares = 0;
  #sharesEver = 0;

  constructor(
    source: { resource: Resource<T>; options: InformerOptions; deps: ReflectorDeps },
    onUnused: () => void,
  ) {
    this.resource = source.resource;
    this.#onUnused = onUnused;
    this.#reflector = new Reflector(source, {
      cache: this.cache,
      report: (changes) => this.#report(changes),
    });
    let markSynced!: () => void;
    this.synced = new Promise((done) => (markSynced = done));
    this.#running = this.#reflector.run(() => {
      this.hasSynced = true;
      markSynced();
    });
  }

  get revision(): string {
    return this.#reflector.revision;
  }

  share(): Informer<T> {
    this.#shares++;
    return new InformerShare(this, `${this.#sharesEver++}`);
  }

  release(): void {
    if (--this.#shares > 0) return;
    this.#reflector[Symbol.dispose]();
    this.#onUnused();
  }

  async stop(): Promise<void> {
    this.#reflector[Symbol.dispose]();
    this.#handlers.clear();
    await this.#running;
  }

  onChange(handler: (change: Change<T>) => void): Disposable {
    const own = (change: Change<T>) => handler(change);
    for (const object of this.cache.list()) own({ type: "added", object });
    this.#handlers.add(own);
    return { [Symbol.dispose]: () => void this.#handlers.delete(own) };
  }

  #report(changes: readonly Change<T>[]): void {
    for (const change of changes) {
      for (const handler of this.#handlers) handler(change);
    }
  }
}

class InformerShare<T> implements Informer<T> {
  readonly #shared: SharedInformer<T>;
  readonly #handlers: Disposable[] = [];
  /** Two holders may name different indexes alike, so names are their own. */
  readonly #indexPrefix: string;
  readonly #indexes: string[] = [];
  #released = false;

  constructor(shared: SharedInformer<T>, id: string) {
    this.#shared = shared;
    this.#indexPrefix = `${id}/`;
  }

  get resource(): Resource<T> {
    return this.#shared.resource;
  }

  get synced(): Promise<void> {
    return this.#shared.synced;
  }

  get hasSynced(): boolean {
    return this.#shared.hasSynced;
  }

  get revision(): string {
    return this.#shared.revision;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#shared.cache.get(namespace, name);
  }

  list(namespace?: string): T[] {
    return this.#shared.cache.list(namespace);
  }

  byIndex(index: string, value: string): T[] {
    if (index === CONTROLLER_INDEX) return this.ownedBy(value);
    return this.#shared.cache.byIndex(this.#indexPrefix + index, value);
  }

  ownedBy(uid: string): T[] {
    return this.#shared.cache.byIndex(CONTROLLER_INDEX, uid);
  }

  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void {
    const scoped = this.#indexPrefix + name;
    this.#indexes.push(scoped);
    this.#shared.cache.addIndex(scoped, valuesOf);
  }

  onChange(handler: (change: Change<T>) => void): Disposable {
    const registration = this.#shared.onChange(handler);
    this.#handlers.push(registration);
    return registration;
  }

  [Symbol.dispose](): void {
    if (this.#released) return;
    this.#released = true;
    for (const handler of this.#handlers) handler[Symbol.dispose]();
    for (const index of this.#indexes) this.#shared.cache.removeIndex(index);
    this.#shared.release();
  }
}

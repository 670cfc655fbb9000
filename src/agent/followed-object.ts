import type { Resource } from "../api/resource.ts";
import type { Informer, InformerFactory } from "../client/informer.ts";

/** One object that a pod refers to, kept current by a watch that its other users share. */
export interface FollowedObject<T> extends Disposable {
  /** Resolves when it is known whether the object exists. */
  readonly known: Promise<void>;
  /** Undefined while it does not exist. */
  readonly value: T | undefined;
}

/** What to follow, and whom to tell of every later change. */
export interface FollowRequest<T> {
  resource: Resource<T>;
  /** "" for kinds without one. */
  namespace: string;
  name: string;
  onChange: () => void;
}

/** Follows an object by name alone: the node may not list what its pods do not name. */
export function followObject<T>(
  informers: InformerFactory,
  request: FollowRequest<T>,
): FollowedObject<T> {
  const { resource, namespace, name, onChange } = request;
  const informer: Informer<T> = informers.informer(resource, {
    ...(namespace && { namespace }),
    fieldSelector: `metadata.name=${name}`,
  });
  let reported = false;
  const known = informer.synced.then(() => void (reported = true));
  informer.onChange(() => {
    if (reported) onChange();
  });
  return {
    known,
    get value() {
      return informer.get(namespace || undefined, name);
    },
    [Symbol.dispose]: () => informer[Symbol.dispose](),
  };
}

import type { PolicyRule } from "../api/generated/types/rbac-v1.ts";
import { type Resource, storageNameOf } from "../api/resource.ts";
import type { Transport } from "../api/transport.ts";
import { isConflict, isNotFound } from "../api/errors.ts";
import type { Client, ObjectRef, ResourceClient } from "./client.ts";
import type { Inputs, Output } from "./controller.ts";
import { metadataOf } from "./object-cache.ts";

type Verb = Output["verbs"][number] | "read";

/** What a controller may do, and who is told what it wrote. */
export interface Declaration {
  name: string;
  inputs: Inputs;
  outputs: readonly Output[];
  undeclared?: readonly PolicyRule[] | undefined;
}

/** The object that a write is meant for, as its sender knows it. */
export interface WriteTarget extends ObjectRef {
  uid?: string | undefined;
  resourceVersion?: string | undefined;
}

/** Who is told what became of writes. */
export interface WriteListener {
  written(resource: Resource, object: unknown): void;
  /** The server knows better: the object is gone, or another version of it stands there. */
  outdated(resource: Resource, target: WriteTarget): void;
}

/**
 * A client that lets through exactly what a controller declared: its generated role would refuse
 * the rest on a real cluster, so it fails here first, and in every test.
 */
export function declaredClient(
  client: Client,
  declaration: Declaration,
  listener: WriteListener,
): Client {
  return {
    get transport(): Transport {
      if (declaration.undeclared?.length) return client.transport;
      throw new Error(`Cannot bypass the declared outputs of controller "${declaration.name}"`);
    },
    for<T>(resource: Resource<T>): ResourceClient<T> {
      const allow = (verb: Verb, subresource?: string) =>
        assertDeclared(declaration, { resource, verb, subresource });
      return guarded(client.for(resource), allow, {
        written: (object) => listener.written(resource, object),
        outdated: (target) => listener.outdated(resource, target),
      });
    },
  };
}

function guarded<T>(
  inner: ResourceClient<T>,
  allow: (verb: Verb, subresource?: string) => void,
  listener: { written: (object: unknown) => void; outdated: (target: WriteTarget) => void },
): ResourceClient<T> {
  const write = async <R>(
    { verb, subresource, of }: { verb: Verb; subresource?: string | undefined; of?: WriteTarget },
    send: () => Promise<R>,
  ): Promise<R> => {
    allow(verb, subresource);
    try {
      const written = await send();
      listener.written(written);
      return written;
    } catch (error) {
      if (of && (isConflict(error) || isNotFound(error))) listener.outdated(of);
      throw error;
    }
  };
  const read = async <R>(send: () => Promise<R>): Promise<R> => {
    allow("read");
    return send();
  };
  return {
    get: (ref) => read(() => inner.get(ref)),
    list: (options) => read(() => inner.list(options)),
    watch: (options, sink) => read(() => inner.watch(options, sink)),
    create: (object, options) => write({ verb: "create" }, () => inner.create(object, options)),
    update: (object, options) =>
      write({ verb: "update", of: targetOf(object) }, () => inner.update(object, options)),
    updateStatus: (object, options) =>
      write({ verb: "update", subresource: "status", of: targetOf(object) }, () =>
        inner.updateStatus(object, options),
      ),
    patch: (ref, patch, options) =>
      write({ verb: "patch", subresource: options?.subresource, of: targetOf(patch, ref) }, () =>
        inner.patch(ref, patch, options),
      ),
    apply: (object, options) =>
      write({ verb: "patch", subresource: options.subresource }, () =>
        inner.apply(object, options),
      ),
    delete: (ref, options) => write({ verb: "delete", of: ref }, () => inner.delete(ref, options)),
    deleteCollection: (options) =>
      write({ verb: "deletecollection" }, () => inner.deleteCollection(options)),
    post: (ref, subresource, body) =>
      write({ verb: "create", subresource }, () => inner.post(ref, subresource, body)),
  };
}

function targetOf(object: unknown, ref?: ObjectRef): WriteTarget {
  const { namespace, name = "", uid, resourceVersion } = metadataOf(object);
  return { namespace, name, ...ref, uid, resourceVersion };
}

function assertDeclared(
  { name, inputs, outputs }: Declaration,
  access: { resource: Resource; verb: Verb; subresource: string | undefined },
): void {
  const { resource, verb, subresource } = access;
  const wanted = storageNameOf(resource);
  const isWanted = (other: { resource: Resource }) => storageNameOf(other.resource) === wanted;
  const declared = outputs.filter(isWanted);
  const allowed =
    verb === "read"
      ? declared.length > 0 || Object.values(inputs).some(isWanted)
      : declared.some(
          ({ verbs, subresources = [] }) =>
            verbs.includes(verb) && (!subresource || subresources.includes(subresource)),
        );
  if (allowed) return;
  const what = subresource ? `${wanted}/${subresource}` : wanted;
  const where = verb === "read" ? "inputs or outputs" : "outputs";
  throw new Error(`Cannot ${verb} ${what} in controller "${name}": not among its ${where}`);
}

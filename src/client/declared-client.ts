import type { PolicyRule } from "../api/generated/types/rbac-v1.ts";
import { type Resource, storageNameOf } from "../api/resource.ts";
import type { Transport } from "../api/transport.ts";
import type { Client, ResourceClient } from "./client.ts";
import type { Inputs, Output } from "./controller.ts";

type Verb = Output["verbs"][number] | "read";

/** What a controller may do, and who is told what it wrote. */
export interface Declaration {
  name: string;
  inputs: Inputs;
  outputs: readonly Output[];
  undeclared?: readonly PolicyRule[] | undefined;
}

/**
 * A client that lets through exactly what a controller declared: its generated role would refuse
 * the rest on a real cluster, so it fails here first, and in every test.
 */
export function declaredClient(
  client: Client,
  declaration: Declaration,
  onWritten: (resource: Resource, object: unknown) => void,
): Client {
  return {
    get transport(): Transport {
      if (declaration.undeclared?.length) return client.transport;
      throw new Error(`Cannot bypass the declared outputs of controller "${declaration.name}"`);
    },
    for<T>(resource: Resource<T>): ResourceClient<T> {
      const allow = (verb: Verb, subresource?: string) =>
        assertDeclared(declaration, { resource, verb, subresource });
      return guarded(client.for(resource), allow, (object) => onWritten(resource, object));
    },
  };
}

function guarded<T>(
  inner: ResourceClient<T>,
  allow: (verb: Verb, subresource?: string) => void,
  wrote: (object: unknown) => void,
): ResourceClient<T> {
  const write = async <R>(
    { verb, subresource }: { verb: Verb; subresource?: string | undefined },
    send: () => Promise<R>,
  ): Promise<R> => {
    allow(verb, subresource);
    const written = await send();
    wrote(written);
    return written;
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
    update: (object, options) => write({ verb: "update" }, () => inner.update(object, options)),
    updateStatus: (object, options) =>
      write({ verb: "update", subresource: "status" }, () => inner.updateStatus(object, options)),
    patch: (ref, patch, options) =>
      write({ verb: "patch", subresource: options?.subresource }, () =>
        inner.patch(ref, patch, options),
      ),
    apply: (object, options) =>
      write({ verb: "patch", subresource: options.subresource }, () =>
        inner.apply(object, options),
      ),
    delete: (ref, options) => write({ verb: "delete" }, () => inner.delete(ref, options)),
    deleteCollection: (options) =>
      write({ verb: "deletecollection" }, () => inner.deleteCollection(options)),
    post: (ref, subresource, body) =>
      write({ verb: "create", subresource }, () => inner.post(ref, subresource, body)),
  };
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

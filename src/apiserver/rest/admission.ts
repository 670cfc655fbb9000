import type { AdmissionPlugin, AdmissionRequest, MutationResult } from "../contract.ts";
import type { KubeObject } from "../kube-object.ts";
import { type Call, isDryRun } from "./call.ts";

/** Query parameters as the options object of the verb, as webhooks get it. */
function operationOptions(
  { query, method, body }: Call,
  operation: AdmissionRequest["operation"],
): Record<string, unknown> {
  const verb = {
    CREATE: "Create",
    UPDATE: method === "PATCH" ? "Patch" : "Update",
    DELETE: "Delete",
  };
  const text = (name: string) => {
    const value = query.get(name);
    return value ? { [name]: value } : {};
  };
  const dryRun = query.all("dryRun");
  const sent = operation === "DELETE" && body.kind === "value" ? body.value : {};
  return {
    ...sent,
    kind: `${verb[operation as keyof typeof verb] ?? "Create"}Options`,
    apiVersion: "meta.k8s.io/v1",
    ...text("fieldManager"),
    ...text("fieldValidation"),
    ...text("propagationPolicy"),
    ...(dryRun.length > 0 ? { dryRun } : {}),
  };
}

/** The request that admission sees for a call. */
export function admissionRequestOf(
  call: Call,
  of: {
    operation: AdmissionRequest["operation"];
    name?: string | undefined;
    object?: KubeObject;
    oldObject?: KubeObject;
  },
): AdmissionRequest {
  const { target, served } = call;
  return {
    operation: of.operation,
    resource: served.resource,
    subresource: target.subresource || undefined,
    namespace: (served.resource.namespaced && target.namespace) || undefined,
    name: of.name ?? target.name ?? "",
    user: call.user,
    object: of.object,
    oldObject: of.oldObject,
    dryRun: isDryRun(call),
    reinvoked: false,
    options: () => operationOptions(call, of.operation),
    warn: call.warn,
    annotate: call.annotate,
  };
}

/**
 * Lets every interested plugin change the object; a second time when one of them asks for it. True
 * when it did: then the object may be more than the client could have sent. Answers at once unless
 * a plugin asks others. @throws StatusError of a plugin that refuses
 */
export function mutate(
  plugins: readonly AdmissionPlugin[],
  request: AdmissionRequest,
): boolean | Promise<boolean> {
  return mutateFrom(plugins, request, { at: 0, changed: false });
}

function mutateFrom(
  plugins: readonly AdmissionPlugin[],
  request: AdmissionRequest,
  done: { at: number; changed: boolean },
): boolean | Promise<boolean> {
  let { at, changed } = done;
  while (at < plugins.length) {
    const plugin = plugins[at++] as AdmissionPlugin;
    if (!plugin.mutate || !plugin.handles(request)) continue;
    const result = plugin.mutate(request);
    if (result === "changed") changed = true;
    else if (result) {
      const goOn = (later: MutationResult) =>
        mutateFrom(plugins, request, { at, changed: changed || later === "changed" });
      return result.then(goOn);
    }
  }
  if (!changed || request.reinvoked) return changed;
  request.reinvoked = true;
  return mutateFrom(plugins, request, { at: 0, changed });
}

/**
 * Asks every interested plugin for its consent; answers at once unless one of them asks others.
 * @throws StatusError of a plugin that refuses
 */
export function validate(
  plugins: readonly AdmissionPlugin[],
  request: AdmissionRequest,
): Promise<void> | undefined {
  for (let at = 0; at < plugins.length; at++) {
    const plugin = plugins[at] as AdmissionPlugin;
    if (!plugin.validate || !plugin.handles(request)) continue;
    const pending = plugin.validate(request);
    if (pending) return pending.then(() => validate(plugins.slice(at + 1), request));
  }
  return undefined;
}

/**
 * Admits the body of a subresource that is not the object itself: a Binding, an Eviction, a Scale.
 * What admission made of the body is in `of.object` afterwards: at once, or when the promise
 * resolves. @throws StatusError of a plugin that refuses
 */
export function admitBody(
  plugins: readonly AdmissionPlugin[],
  call: Call,
  of: { operation: "CREATE" | "UPDATE"; object: KubeObject; oldObject?: KubeObject },
): Promise<void> | undefined {
  const request = admissionRequestOf(call, of);
  const mutating = mutate(plugins, request);
  if (mutating instanceof Promise) return mutating.then(() => validate(plugins, request));
  return validate(plugins, request);
}

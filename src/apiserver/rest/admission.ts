import type { AdmissionPlugin, AdmissionRequest } from "../contract.ts";
import type { KubeObject } from "../kube-object.ts";
import { type Call, isDryRun } from "./call.ts";

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
  const namespace = served.resource.namespaced ? target.namespace : undefined;
  return {
    operation: of.operation,
    resource: served.resource,
    name: of.name ?? target.name ?? "",
    user: call.user,
    dryRun: isDryRun(call),
    warn: call.warn,
    ...(target.subresource ? { subresource: target.subresource } : {}),
    ...(namespace ? { namespace } : {}),
    ...(of.object ? { object: of.object } : {}),
    ...(of.oldObject ? { oldObject: of.oldObject } : {}),
  };
}

/** Lets every interested plugin change the object. @throws StatusError of a plugin that refuses */
export async function mutate(
  plugins: readonly AdmissionPlugin[],
  request: AdmissionRequest,
): Promise<void> {
  for (const plugin of plugins) {
    if (!plugin.mutate || !plugin.handles(request)) continue;
    const pending = plugin.mutate(request);
    if (pending) await pending;
  }
}

/** Asks every interested plugin for its consent. @throws StatusError of a plugin that refuses */
export async function validate(
  plugins: readonly AdmissionPlugin[],
  request: AdmissionRequest,
): Promise<void> {
  for (const plugin of plugins) {
    if (!plugin.validate || !plugin.handles(request)) continue;
    const pending = plugin.validate(request);
    if (pending) await pending;
  }
}

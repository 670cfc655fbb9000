import { apiVersionOf, type Resource } from "../api/resource.ts";
import type { ObjectMeta, OwnerReference } from "../api/generated/types/meta-v1.ts";
import type { ObjectRef } from "../client/client.ts";

/** What every API object has. */
export interface ApiObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

/** Name and namespace of an object, as work queue keys. */
export function refOf(object: ApiObject): ObjectRef {
  const { name = "", namespace } = object.metadata ?? {};
  return namespace ? { name, namespace } : { name };
}

/** The UID; objects that come from an API server always have one. */
export function uidOf(object: ApiObject): string {
  return object.metadata?.uid ?? "";
}

/** True once deletion began, whatever still delays it. */
export function isTerminating(object: ApiObject): boolean {
  return object.metadata?.deletionTimestamp !== undefined;
}

/** The one owner that manages the object. */
export function controllerOf(object: ApiObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((owner) => owner.controller === true);
}

/** A reference that makes `owner` the managing owner of an object. */
export function controllerReference(resource: Resource, owner: ApiObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name: owner.metadata?.name ?? "",
    uid: uidOf(owner),
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** True when `reference` names this kind, in whatever version. */
export function refersTo(resource: Resource, reference: OwnerReference | undefined): boolean {
  if (reference?.kind !== resource.kind) return false;
  const [group] = reference.apiVersion.includes("/") ? reference.apiVersion.split("/") : [""];
  return group === resource.group;
}

import { isNotFound } from "../api/errors.ts";
import type { Resource } from "../api/resource.ts";
import type { Client } from "../client/client.ts";
import type { Labels } from "../lib/labels.ts";
import {
  type ApiObject,
  controllerOf,
  controllerReference,
  isTerminating,
  refOf,
  uidOf,
} from "./ownership.ts";

/** Name of the index of objects that nobody controls, by namespace. */
export const ORPHANS = "orphans";

/** Values for `ORPHANS`: workloads look there for objects to adopt without scanning a namespace. */
export function orphanIndex(object: ApiObject): readonly string[] {
  return controllerOf(object) ? [] : [object.metadata?.namespace ?? ""];
}

/** Who belongs to an owner, and the changes of ownership that are due. */
export interface Claims<T> {
  /** Owned and matching, or about to be adopted. */
  claimed: T[];
  adopt: T[];
  release: T[];
}

/** Sorts objects by what the owner's selector and their controller reference say. */
export function planClaims<T extends ApiObject>(
  owner: ApiObject,
  objects: readonly T[],
  matches: (labels: Labels | undefined) => boolean,
): Claims<T> {
  const claims: Claims<T> = { claimed: [], adopt: [], release: [] };
  for (const object of objects) {
    const controller = controllerOf(object);
    const matching = matches(object.metadata?.labels);
    if (controller?.uid === uidOf(owner)) {
      if (matching) claims.claimed.push(object);
      else if (!isTerminating(owner)) claims.release.push(object);
    } else if (!controller && matching && !isTerminating(owner) && !isTerminating(object)) {
      claims.adopt.push(object);
      claims.claimed.push(object);
    }
  }
  return claims;
}

/**
 * Writes the owner references. Before the first adoption the owner is read live: one that was
 * deleted, or replaced under the same name, must not adopt from a stale cache.
 */
export async function executeClaims<T extends ApiObject>(
  client: Client,
  claims: Pick<Claims<T>, "adopt" | "release">,
  of: { resource: Resource<T>; owner: ApiObject; ownerResource: Resource<ApiObject> },
): Promise<void> {
  const objects = client.for(of.resource);
  if (claims.adopt.length > 0) {
    const live = await client.for(of.ownerResource).get(refOf(of.owner));
    if (uidOf(live) !== uidOf(of.owner) || isTerminating(live)) {
      throw new Error(
        `Cannot adopt for ${of.ownerResource.plural} "${refOf(of.owner).name}": gone`,
      );
    }
  }
  const reference = controllerReference(of.ownerResource, of.owner);
  const write = async (object: T, ownerReferences: readonly object[]) => {
    const metadata = { uid: uidOf(object), ownerReferences };
    await objects
      .patch(refOf(object), { metadata }, { type: "strategic" })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  };
  for (const object of claims.adopt) await write(object, [reference]);
  for (const object of claims.release) {
    await write(object, [{ $patch: "delete", uid: reference.uid }]);
  }
}

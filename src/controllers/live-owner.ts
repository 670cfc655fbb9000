import { isNotFound } from "../api/errors.ts";
import type { Resource } from "../api/resource.ts";
import type { Client } from "../client/client.ts";
import { type ApiObject, isTerminating, refOf, uidOf } from "./ownership.ts";

/**
 * Says whether an owner is still there, from the server, asked at most once: to be asked before
 * anything is made for it. A cache that was cut off shows an owner for long after it went; what is
 * made for it then is collected at once, missed at once, and made again, without end.
 */
export function liveOwner(
  client: Client,
  resource: Resource<ApiObject>,
  owner: ApiObject,
): () => Promise<boolean> {
  let asked: Promise<boolean> | undefined;
  const ask = async () => {
    const live = await client
      .for(resource)
      .get(refOf(owner))
      .catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
    return live !== undefined && uidOf(live) === uidOf(owner) && !isTerminating(live);
  };
  return () => (asked ??= ask());
}

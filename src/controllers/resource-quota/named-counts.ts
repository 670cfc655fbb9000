import { isNotFound } from "../../api/errors.ts";
import type { ResourceQuota } from "../../api/generated/types/core-v1.ts";
import type { Transport } from "../../api/transport.ts";

/** A kind as a quota names it: "count/widgets.example.com". */
interface NamedKind {
  item: string;
  plural: string;
  group: string;
}

interface ApiGroup {
  preferredVersion?: { version: string };
}

interface ObjectList {
  items?: unknown[];
  metadata?: { remainingItemCount?: number };
}

/** Items of a quota that count objects of kinds of which `isFollowed` is false. */
export function unfollowedItems(
  { spec }: ResourceQuota,
  isFollowed: (kind: { plural: string; group: string }) => boolean,
): NamedKind[] {
  return Object.keys(spec?.hard ?? {}).flatMap((item) => {
    const match = /^count\/([^.]+)(?:\.(.+))?$/.exec(item);
    if (!match) return [];
    const [, plural = "", group = ""] = match;
    return isFollowed({ plural, group }) ? [] : [{ item, plural, group }];
  });
}

/**
 * How many objects of that kind there are in a namespace, none of a kind that the server does not
 * have; undefined when nobody answers. Asks for one object, and for how many there are more.
 */
export async function countObjects(
  transport: Transport,
  { plural, group, namespace }: NamedKind & { namespace: string },
): Promise<number | undefined> {
  const get = async <T>(path: string) =>
    (await transport.request({ method: "GET", path })).body as T;
  try {
    let base = "/api/v1";
    if (group) {
      const { preferredVersion } = await get<ApiGroup>(`/apis/${group}`);
      base = `/apis/${group}/${preferredVersion?.version}`;
    }
    const path = `${base}/namespaces/${namespace}/${plural}?limit=1`;
    const { items = [], metadata } = await get<ObjectList>(path);
    return items.length + (metadata?.remainingItemCount ?? 0);
  } catch (error) {
    return isNotFound(error) ? 0 : undefined;
  }
}

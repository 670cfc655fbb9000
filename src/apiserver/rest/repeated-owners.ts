import type { ObjectMeta, OwnerReference } from "../../api/generated/types/meta-v1.ts";
import type { Call } from "./call.ts";

/** When owners were found twice, where that is not in the request itself. */
export const AFTER_ADMISSION = " after mutating admission happens";

/** Takes an owner that is listed twice in the same words once, and warns of it. */
export function dropRepeatedOwners(call: Call, metadata: ObjectMeta, when: string): void {
  const owners = metadata.ownerReferences;
  if (!owners || owners.length < 2) return;
  const kept = new Map<string, OwnerReference>();
  const repeated: string[] = [];
  for (const owner of owners) {
    const words = JSON.stringify(Object.entries(owner).toSorted(byName));
    if (kept.has(words)) repeated.push(owner.uid);
    else kept.set(words, owner);
  }
  if (repeated.length === 0) return;
  metadata.ownerReferences = [...kept.values()];
  call.warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner ` +
      "references in 1.20+, and may reject such requests as early as 1.24; please fix your " +
      `requests; duplicate UID(s) observed: ${repeated.join(", ")}`,
  );
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

import { type ManagedFieldsEntry, unreadableManagers } from "../../api/apply/managed-fields.ts";
import type { KubeObject } from "../kube-object.ts";
import type { Call } from "./call.ts";

/** Puts the managers back that admission made unreadable, and warns of it. */
export function keepReadableManagers(
  call: Call,
  metadata: KubeObject["metadata"],
  before: KubeObject["metadata"]["managedFields"],
): void {
  const { managedFields = [] } = metadata;
  if (managedFields === before) return;
  const why = unreadableManagers(managedFields as ManagedFieldsEntry[]);
  if (why === undefined) return;
  if (before) metadata.managedFields = before;
  else delete metadata.managedFields;
  call.warn(
    ".metadata.managedFields was in an invalid state after admission; this could be caused by an " +
      `outdated mutating admission controller; please fix your requests: ${why}`,
  );
}

import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import { FOREGROUND, type GraphNode, ORPHAN } from "./ownership-graph.ts";

/** What became of an owner: "waiting" is being deleted in the foreground, "unknown" is no proof. */
export type OwnerState = "present" | "absent" | "waiting" | "unknown";

export type GarbageStep =
  | { do: "delete"; policy: "Background" | "Foreground" | "Orphan" }
  | { do: "drop-owners"; uids: readonly string[] }
  /** Stops blocking the deletion of its owners: breaks a cycle of foreground deletions. */
  | { do: "unblock-owners" }
  | { do: "release"; dependents: readonly GraphNode[] }
  | { do: "remove-finalizer"; finalizer: string }
  /** Looks at others again. */
  | { do: "visit"; nodes: readonly GraphNode[] };

/** What to do about one object, given its owners and its dependents. */
export function planGarbage(
  node: GraphNode,
  view: {
    ownerState: (owner: OwnerReference) => OwnerState;
    dependents: readonly GraphNode[];
  },
): GarbageStep[] {
  const { dependents } = view;
  if (node.orphansDependents) {
    return [
      { do: "release", dependents },
      { do: "remove-finalizer", finalizer: ORPHAN },
    ];
  }
  if (node.waitsForDependents) return foreground(node, dependents);
  if (node.deleting || node.owners.length === 0) return [];
  const inState = (state: OwnerState) =>
    node.owners.filter((owner) => view.ownerState(owner) === state);
  if (inState("unknown").length > 0) return [];
  const waiting = inState("waiting");
  const gone = [...inState("absent"), ...waiting];
  if (inState("present").length > 0) {
    // An owner is left, so the object stays; the others let it go.
    const uids = gone.map(({ uid }) => uid);
    return uids.length > 0 ? [{ do: "drop-owners", uids }] : [];
  }
  if (waiting.length > 0 && dependents.length > 0) {
    const cycle = dependents.some((dependent) => dependent.waitsForDependents);
    return [...(cycle ? [{ do: "unblock-owners" } as const] : []), deletion("Foreground")];
  }
  if (node.finalizers.includes(ORPHAN)) return [deletion("Orphan")];
  if (node.finalizers.includes(FOREGROUND)) return [deletion("Foreground")];
  return [deletion("Background")];
}

function deletion(policy: "Background" | "Foreground" | "Orphan"): GarbageStep {
  return { do: "delete", policy };
}

function foreground(node: GraphNode, dependents: readonly GraphNode[]): GarbageStep[] {
  const blocking = dependents.filter(({ owners }) =>
    owners.some((owner) => owner.uid === node.uid && owner.blockOwnerDeletion === true),
  );
  const steps: GarbageStep[] = [];
  // Those on their way out are visited for their own changes: in a cycle, one would call the
  // other for ever.
  const staying = dependents.filter(({ deleting }) => !deleting);
  if (staying.length > 0) steps.push({ do: "visit", nodes: staying });
  if (blocking.length === 0) steps.push({ do: "remove-finalizer", finalizer: FOREGROUND });
  return steps;
}

import type {
  PersistentVolume,
  PersistentVolumeClaim,
  TopologySelectorTerm,
} from "../../api/generated/types/core-v1.ts";
import { termTest } from "../../api/node-affinity.ts";
import { type Labels, matchesSelector } from "../../lib/labels.ts";
import { quantityToNumber } from "../../lib/quantity.ts";
import { claimClassName, type VolumeCatalog, volumeClassName } from "./volume-catalog.ts";

/** A node as volumes see it. */
export interface VolumeNode {
  name: string;
  labels: Labels;
}

/** Whether a volume can be used on a node. */
export function volumeFitsNode({ spec }: PersistentVolume, node: VolumeNode): boolean {
  const required = spec?.nodeAffinity?.required;
  if (!required) return true;
  return (required.nodeSelectorTerms ?? []).some((term) => termTest(term)(node.labels, node.name));
}

/** How large a volume a claim asks for. */
export function wantedBytes({ spec }: PersistentVolumeClaim): number {
  return quantityToNumber(spec?.resources?.requests?.["storage"] ?? "0");
}

/** The smallest free volume that satisfies a claim on a node; one made for the claim goes first. */
export function findVolume(
  claim: PersistentVolumeClaim,
  of: { node: VolumeNode; catalog: VolumeCatalog; taken: ReadonlySet<string> },
): PersistentVolume | undefined {
  const { node, catalog, taken } = of;
  const key = `${claim.metadata?.namespace ?? ""}/${claim.metadata?.name ?? ""}`;
  const leastBytes = wantedBytes(claim);
  let best: PersistentVolume | undefined;
  let bestBytes = Number.POSITIVE_INFINITY;
  for (const volume of catalog.volumes.values()) {
    if (taken.has(volume.metadata?.name ?? "")) continue;
    const holder = catalog.claimOf(volume);
    const uid = volume.spec?.claimRef?.uid;
    const isOwn = holder === key && (!uid || uid === claim.metadata?.uid);
    if (holder !== undefined && !isOwn) continue;
    const bytes = quantityToNumber(volume.spec?.capacity?.["storage"] ?? "0");
    if (bytes < leastBytes || !satisfies(volume, claim) || !volumeFitsNode(volume, node)) {
      continue;
    }
    if (isOwn) return volume;
    if (volume.status?.phase !== "Available" || bytes >= bestBytes) continue;
    best = volume;
    bestBytes = bytes;
  }
  return best;
}

/** Everything but size and place. */
function satisfies(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  if (volume.metadata?.deletionTimestamp) return false;
  if (volumeClassName(volume) !== claimClassName(claim)) return false;
  const mode = (of: { volumeMode?: string } | undefined) => of?.volumeMode ?? "Filesystem";
  if (mode(volume.spec) !== mode(claim.spec)) return false;
  const { selector, accessModes = [] } = claim.spec ?? {};
  if (selector && !matchesSelector(selector, volume.metadata?.labels)) return false;
  return accessModes.every((wanted) => volume.spec?.accessModes?.includes(wanted));
}

/** Whether a volume may be made for a node; no terms at all allow every node. */
export function topologyAllows(
  terms: readonly TopologySelectorTerm[] | undefined,
  { labels }: VolumeNode,
): boolean {
  if (!terms || terms.length === 0) return true;
  return terms.some(({ matchLabelExpressions }) =>
    (matchLabelExpressions ?? []).every(({ key, values }) => {
      const value = labels[key];
      return value !== undefined && (values ?? []).includes(value);
    }),
  );
}

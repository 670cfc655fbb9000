import type {
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
} from "../../api/generated/types/core-v1.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";

type Spec = Partial<PersistentVolumeClaimSpec>;

/** All that `dataSource` could name before `dataSourceRef` came; anything else was ignored. */
function isClassic({ apiGroup = "", kind }: TypedLocalObjectReference): boolean {
  if (kind === "PersistentVolumeClaim") return apiGroup === "";
  return kind === "VolumeSnapshot" && apiGroup === "snapshot.storage.k8s.io";
}

function hasSource({ dataSource, dataSourceRef }: Spec): boolean {
  return dataSource !== undefined || dataSourceRef !== undefined;
}

/** Whether both fields say the same, or the second names what the first cannot. */
function isFilled({ dataSource, dataSourceRef }: Spec): boolean {
  return (dataSource === undefined) === (dataSourceRef === undefined) || !!dataSourceRef?.namespace;
}

/**
 * Older clients know `dataSource`, newer ones `dataSourceRef`: either fills the other (KEP 1495). A
 * claim that was stored with one of them stays so, as neither may change.
 */
export function fillClaimSources(claim: KubeObject, old?: KubeObject): void {
  const spec = fieldOf(claim, "spec") as Spec;
  const before = old && (fieldOf(old, "spec") as Spec);
  const { dataSource, dataSourceRef } = spec;
  if (!(before && hasSource(before)) && !dataSourceRef && dataSource && !isClassic(dataSource)) {
    delete spec.dataSource;
  }
  if (before && !isFilled(before)) return;
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource };
  else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) {
    const { namespace: _, ...source } = spec.dataSourceRef;
    spec.dataSource = source;
  }
}

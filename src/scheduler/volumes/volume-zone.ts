import type { PersistentVolume } from "../../api/generated/types/core-v1.ts";
import type { Refusal, SchedulerPlugin } from "../framework/contract.ts";
import { isNewToLabels } from "../framework/node-change.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import { isStorageOf } from "./storage-hint.ts";
import { claimClassName, type VolumeCatalog } from "./volume-catalog.ts";

const ZONE = "topology.kubernetes.io/zone";
const REGION = "topology.kubernetes.io/region";
/** Labels of volumes that say where they are; a node may have the newer label for an older one. */
const ZONE_LABELS: readonly (readonly [key: string, newer: string])[] = [
  [ZONE, ZONE],
  [REGION, REGION],
  ["failure-domain.beta.kubernetes.io/zone", ZONE],
  ["failure-domain.beta.kubernetes.io/region", REGION],
];
/** Between the values of a volume that is in several zones. */
const SEPARATOR = "__";

/** A label of a volume, and what a node may have for it. */
interface Whereabouts {
  key: string;
  newer: string;
  values: readonly string[];
}

/** Volumes with zone labels are used in their zones only. */
export function volumeZone(catalog: VolumeCatalog): SchedulerPlugin {
  return {
    name: "VolumeZone",
    filter({ state, profile }) {
      if (profile.claims.length === 0) return undefined;
      let wanted: readonly Whereabouts[] = [];
      return {
        begin(pod) {
          const found = whereaboutsOf(pod, catalog);
          if ("reasons" in found) return found;
          wanted = found;
          return wanted.length > 0;
        },
        test(slot) {
          const labels = state.nodes[slot]?.labels ?? {};
          // A node that says nothing of zones is in none in particular.
          if (!ZONE_LABELS.some(([key]) => labels[key] !== undefined)) return 0;
          const fits = wanted.every(({ key, newer, values }) =>
            values.includes(labels[key] ?? labels[newer] ?? ""),
          );
          return fits ? 0 : 1;
        },
        explain: () => ({
          reasons: ["node(s) had no available volume zone"],
          unresolvable: true,
        }),
      };
    },
    hint: (event, pod, state) => isStorageOf(pod, event) || isNewToLabels(event, state),
  };
}

/** Where the volumes of a pod's claims are; claims that wait for a pod have none yet. */
function whereaboutsOf(pod: PodRecord, catalog: VolumeCatalog): Whereabouts[] | Refusal {
  const refuse = (reason: string): Refusal => ({ reasons: [reason], unresolvable: true });
  const found: Whereabouts[] = [];
  for (const name of pod.profile.claims) {
    const claim = catalog.claims.get(`${pod.namespace}/${name}`);
    if (!claim) return refuse(`persistentvolumeclaim "${name}" not found`);
    const { volumeName } = claim.spec ?? {};
    if (!volumeName) {
      const className = claimClassName(claim);
      if (!className) return refuse("PersistentVolumeClaim had no pv name and storageClass name");
      const storageClass = catalog.classes.get(className);
      if (!storageClass) return refuse(`storageclasses.storage.k8s.io "${className}" not found`);
      const mode = storageClass.volumeBindingMode;
      if (!mode) return refuse(`VolumeBindingMode not set for StorageClass "${className}"`);
      if (mode === "WaitForFirstConsumer") continue;
      return refuse("PersistentVolume had no name");
    }
    const volume = catalog.volumes.get(volumeName);
    if (!volume) return refuse(`persistentvolume "${volumeName}" not found`);
    found.push(...labelsOf(volume));
  }
  return found;
}

function labelsOf({ metadata }: PersistentVolume): Whereabouts[] {
  return ZONE_LABELS.flatMap(([key, newer]) => {
    const values = metadata?.labels?.[key]?.split(SEPARATOR).map((value) => value.trim());
    // A list with a gap says nothing that could be relied on.
    return values && !values.includes("") ? [{ key, newer, values }] : [];
  });
}

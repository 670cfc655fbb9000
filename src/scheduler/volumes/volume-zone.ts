import type { SchedulerPlugin } from "../framework/contract.ts";
import type { VolumeCatalog } from "./volume-catalog.ts";

/** Labels of volumes that say where they are, with the older name of the same label. */
const ZONE_LABELS: readonly (readonly [key: string, alias: string])[] = [
  ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"],
  ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"],
  ["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"],
  ["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"],
];
/** Between the values of a volume that is in several zones. */
const SEPARATOR = "__";

/** Volumes with zone labels are used in their zones only. */
export function volumeZone(catalog: VolumeCatalog): SchedulerPlugin {
  return {
    name: "VolumeZone",
    filter({ state, profile }) {
      if (profile.claims.length === 0) return undefined;
      let wanted: { key: string; alias: string; values: readonly string[] }[] = [];
      return {
        begin(pod) {
          wanted = pod.profile.claims.flatMap((name) => {
            const claim = catalog.claims.get(`${pod.namespace}/${name}`);
            const labels = catalog.volumes.get(claim?.spec?.volumeName ?? "")?.metadata?.labels;
            return ZONE_LABELS.flatMap(([key, alias]) => {
              const value = labels?.[key];
              return value === undefined ? [] : [{ key, alias, values: value.split(SEPARATOR) }];
            });
          });
          return wanted.length > 0;
        },
        test(slot) {
          const labels = state.nodes[slot]?.labels ?? {};
          // A node that says nothing of zones is in none in particular.
          if (!ZONE_LABELS.some(([key]) => labels[key] !== undefined)) return 0;
          const fits = wanted.every(({ key, alias, values }) =>
            values.includes(labels[key] ?? labels[alias] ?? ""),
          );
          return fits ? 0 : 1;
        },
        explain: () => ({
          reasons: ["node(s) had no available volume zone"],
          unresolvable: true,
        }),
      };
    },
    hint: ({ kind }) => kind !== "pod-added" && kind !== "pod-removed" && kind !== "pod-changed",
  };
}

import type { SchedulerPlugin } from "../framework/contract.ts";
import type { VolumeCatalog } from "./volume-catalog.ts";

const REASON =
  "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";

/** A ReadWriteOncePod claim is used by one pod at a time. */
export function volumeRestrictions(catalog: VolumeCatalog): SchedulerPlugin {
  return {
    name: "VolumeRestrictions",
    filter({ state, profile }) {
      if (profile.claims.length === 0) return undefined;
      return {
        begin: (pod) =>
          profile.claims.some((name) => {
            const key = `${pod.namespace}/${name}`;
            const modes = catalog.claims.get(key)?.spec?.accessModes;
            return modes?.includes("ReadWriteOncePod") && state.usersOfClaim(key) > 0;
          }),
        test: () => 1,
        explain: () => ({ reasons: [REASON] }),
      };
    },
    hint: (event, { namespace, profile }) =>
      event.kind === "storage-changed" ||
      (event.kind === "pod-removed" &&
        event.pod.namespace === namespace &&
        event.pod.profile.claims.some((claim) => profile.claims.includes(claim))),
  };
}

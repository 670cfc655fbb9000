import type { SchedulerPlugin } from "../framework/contract.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import type { NodeEntry } from "../state/cluster-state.ts";
import { isStorageOf } from "./storage-hint.ts";
import type { VolumeCatalog } from "./volume-catalog.ts";

/** A driver takes only so many volumes per node; its CSINode says how many. */
export function nodeVolumeLimits(catalog: VolumeCatalog): SchedulerPlugin {
  return {
    name: "NodeVolumeLimits",
    filter({ state, profile }) {
      if (profile.claims.length === 0) return undefined;
      let wanted = new Map<string, string>();
      return {
        begin(pod) {
          wanted = volumesOf(pod, catalog);
          return wanted.size > 0 && catalog.csiNodes.size > 0;
        },
        test(slot) {
          const { name, pods } = state.nodes[slot] as NodeEntry;
          const limits = limitsOf(name, catalog);
          if (limits.size === 0) return 0;
          const attached = new Map<string, string>();
          for (const other of pods) {
            for (const [volume, driver] of volumesOf(other, catalog)) attached.set(volume, driver);
          }
          // Volumes of pods that are gone take their places until they are detached.
          for (const { spec } of catalog.attachments.on(name)) {
            const volume = catalog.volumes.get(spec.source.persistentVolumeName ?? "");
            const csi = volume?.spec?.csi;
            if (csi) attached.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
          }
          for (const [driver, limit] of limits) {
            const isOf = ([, one]: [string, string]) => one === driver;
            const fresh = [...wanted].filter(isOf).filter(([volume]) => !attached.has(volume));
            const taken = [...attached].filter(isOf).length;
            if (fresh.length > 0 && taken + fresh.length > limit) return 1;
          }
          return 0;
        },
        explain: () => ({ reasons: ["node(s) exceed max volume count"] }),
      };
    },
    hint: (event, pod) =>
      isStorageOf(pod, event) ||
      event.kind === "node-added" ||
      (event.kind === "pod-removed" && event.pod.profile.claims.length > 0),
  };
}

function limitsOf(node: string, catalog: VolumeCatalog): Map<string, number> {
  const limits = new Map<string, number>();
  for (const { name, allocatable } of catalog.csiNodes.get(node)?.spec.drivers ?? []) {
    if (allocatable?.count !== undefined) limits.set(name, allocatable.count);
  }
  return limits;
}

/** Drivers by what stands for a volume: its handle, or the claim that it will be made for. */
function volumesOf({ namespace, profile }: PodRecord, catalog: VolumeCatalog): Map<string, string> {
  const volumes = new Map<string, string>();
  for (const name of profile.claims) {
    const key = `${namespace}/${name}`;
    const claim = catalog.claims.get(key);
    if (!claim) continue;
    const volume = catalog.volumes.get(claim.spec?.volumeName ?? "");
    const csi = volume?.spec?.csi;
    if (csi) volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
    else if (!volume) {
      const driver = catalog.classOf(claim)?.provisioner;
      if (driver) volumes.set(`${driver}/${key}`, driver);
    }
  }
  return volumes;
}

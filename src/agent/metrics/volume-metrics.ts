import type { MetricFamily } from "../../lib/prometheus.ts";
import type { PodUsage, VolumeUsage } from "./contract.ts";

type VolumeMetric = [name: string, help: string, of: (volume: VolumeUsage) => number];

const METRICS: readonly VolumeMetric[] = [
  [
    "capacity_bytes",
    "Capacity in bytes of the volume",
    ({ fileSystem }) => fileSystem.capacityBytes,
  ],
  [
    "available_bytes",
    "Number of available bytes in the volume",
    ({ fileSystem }) => fileSystem.availableBytes,
  ],
  ["used_bytes", "Number of used bytes in the volume", ({ bytes }) => bytes],
  ["inodes", "Maximum number of inodes in the volume", ({ fileSystem }) => fileSystem.inodes],
  ["inodes_free", "Number of free inodes in the volume", ({ fileSystem }) => fileSystem.inodesFree],
  ["inodes_used", "Number of used inodes in the volume", ({ inodes }) => inodes],
];

/** Figures of claimed volumes under a kubelet's names: alerts on full volumes are made of these. */
export function volumeMetrics(pods: readonly PodUsage[]): MetricFamily[] {
  const claimed = new Map<string, { labels: Record<string, string>; volume: VolumeUsage }>();
  for (const { pod, storage } of pods) {
    for (const volume of storage?.volumes ?? []) {
      if (volume.claim === undefined) continue;
      const { namespace = "" } = pod.metadata ?? {};
      const labels = { namespace, persistentvolumeclaim: volume.claim };
      claimed.set(`${namespace}/${volume.claim}`, { labels, volume });
    }
  }
  return METRICS.map(([name, help, of]) => ({
    name: `kubelet_volume_stats_${name}`,
    type: "gauge",
    help,
    samples: Array.from(claimed.values(), ({ labels, volume }) => ({ labels, value: of(volume) })),
  }));
}

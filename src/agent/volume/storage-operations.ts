import type { PersistentVolumeSpec, Volume } from "../../api/generated/types/core-v1.ts";
import { Histogram, type MetricFamily } from "../../lib/prometheus.ts";

/** Upper ends of a kubelet's buckets. */
const SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];
/** Plugins of a kubelet by the field that a volume of theirs has. */
const PLUGINS: Readonly<Record<string, string>> = {
  configMap: "kubernetes.io/configmap",
  downwardAPI: "kubernetes.io/downward-api",
  emptyDir: "kubernetes.io/empty-dir",
  hostPath: "kubernetes.io/host-path",
  image: "kubernetes.io/image",
  local: "kubernetes.io/local-volume",
  nfs: "kubernetes.io/nfs",
  projected: "kubernetes.io/projected",
  secret: "kubernetes.io/secret",
};

/** The plugin that a kubelet would mount it with. */
export function pluginOf(volume: Volume | PersistentVolumeSpec | undefined): string {
  const field = Object.keys(volume ?? {}).find((name) => Object.hasOwn(PLUGINS, name));
  return (field && PLUGINS[field]) ?? "<n/a>";
}

/** A volume that was mounted for a pod, or let go. */
export interface StorageOperation {
  plugin: string;
  name: "volume_mount" | "volume_unmount";
  failed: boolean;
}

/** How long work on volumes took, under a kubelet's names. */
export class StorageOperations {
  readonly #rows = new Map<string, { labels: Record<string, string>; times: Histogram }>();

  done({ plugin, name, failed }: StorageOperation, seconds: number): void {
    const status = failed ? "fail-unknown" : "success";
    const key = `${plugin} ${name} ${status}`;
    let row = this.#rows.get(key);
    if (!row) {
      const labels = { volume_plugin: plugin, operation_name: name, status, migrated: "false" };
      row = { labels, times: new Histogram(SECONDS) };
      this.#rows.set(key, row);
    }
    row.times.observe(seconds);
  }

  families(): MetricFamily[] {
    return [
      {
        name: "storage_operation_duration_seconds",
        type: "histogram",
        help: "Seconds that it took to mount a volume for a pod, or to let it go.",
        samples: [...this.#rows.values()].flatMap(({ labels, times }) => times.samples(labels)),
      },
    ];
  }
}

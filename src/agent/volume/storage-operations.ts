import type { PersistentVolumeSpec, Volume } from "../../api/generated/types/core-v1.ts";
import { MetricTable } from "../../lib/metric-table.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";

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

/** The plugin that a kubelet would mount it with; undefined for a claim that is not bound yet. */
export function pluginOf(volume: Volume | PersistentVolumeSpec | undefined): string | undefined {
  const field = Object.keys(volume ?? {}).find((name) => Object.hasOwn(PLUGINS, name));
  return field && PLUGINS[field];
}

/** A volume that was mounted for a pod, or let go. */
export interface StorageOperation {
  plugin: string | undefined;
  name: "volume_mount" | "volume_unmount";
  failed: boolean;
}

/** How long work on volumes took, under a kubelet's names. */
export class StorageOperations {
  readonly #table = new MetricTable("storage_", {
    operation_duration_seconds: {
      help: "Seconds that it took to mount a volume for a pod, or to let it go.",
      labels: ["volume_plugin", "operation_name", "status", "migrated"],
      bounds: SECONDS,
    },
  });

  done({ plugin = "<n/a>", name, failed }: StorageOperation, seconds: number): void {
    const status = failed ? "fail-unknown" : "success";
    this.#table.observe("operation_duration_seconds", seconds, plugin, name, status, "false");
  }

  families(): MetricFamily[] {
    return this.#table.families();
  }
}

/** Volumes that are to be there, or are, by their plugins. */
export function volumeTotals(
  plugins: Readonly<Record<"desired" | "actual", readonly (string | undefined)[]>>,
): MetricFamily {
  const samples = (["actual", "desired"] as const).flatMap((state) => {
    const counts = new Map<string, number>();
    for (const plugin of plugins[state]) {
      const name = plugin ?? "N/A";
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return Array.from(counts, ([name, value]) => ({
      labels: { plugin_name: name, state: `${state}_state_of_world` },
      value,
    }));
  });
  const help = "Volumes of pods, by plugin: those that are to be there, and those that are.";
  return { name: "volume_manager_total_volumes", type: "gauge", help, samples };
}

import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";
import { isStaticPod } from "../static-pod/contract.ts";

/** How many pods and containers a node has now, by a kubelet's names. */
export function podCounts(pods: readonly Pod[]): MetricFamily[] {
  const active = pods.filter((pod) => lifecycleOf(pod) === "sync");
  return [
    gauge("running_pods", "Pods that have a sandbox.", [{ value: pods.filter(hasSandbox).length }]),
    gauge("running_containers", "Containers, by state.", containerStates(pods)),
    gauge("desired_pods", "Pods that the node is to run.", byOrigin(pods)),
    gauge("active_pods", "Pods that have not come to their end.", byOrigin(active)),
    gauge("mirror_pods", "Pods of files, which the API shows.", [
      { value: pods.filter(isStaticPod).length },
    ]),
    gauge("working_pods", "Pods that the node works on.", byLifecycle(pods)),
    gauge("managed_ephemeral_containers", "Debugging containers of pods.", [
      { value: pods.flatMap(({ spec }) => spec?.ephemeralContainers ?? []).length },
    ]),
  ];
}

function gauge(name: string, help: string, samples: MetricFamily["samples"]): MetricFamily {
  return { name: `kubelet_${name}`, type: "gauge", help, samples };
}

function byOrigin(pods: readonly Pod[]): MetricFamily["samples"] {
  const ofFiles = pods.filter(isStaticPod).length;
  return [
    { labels: { static: "" }, value: pods.length - ofFiles },
    { labels: { static: "true" }, value: ofFiles },
  ];
}

/** A kubelet's words for what is done with a pod: it is run, ended, or has come to its end. */
function lifecycleOf({ metadata, status }: Pod): "sync" | "terminating" | "terminated" {
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return "terminated";
  return metadata?.deletionTimestamp ? "terminating" : "sync";
}

function byLifecycle(pods: readonly Pod[]): MetricFamily["samples"] {
  return (["sync", "terminating", "terminated"] as const).flatMap((lifecycle) =>
    byOrigin(pods.filter((pod) => lifecycleOf(pod) === lifecycle)).map(({ labels, value }) => ({
      labels: { lifecycle, config: "desired", ...labels },
      value,
    })),
  );
}

/** One whose init containers run has its sandbox already; one that has ended has none. */
function hasSandbox({ status }: Pod): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: is }) => type === "PodReadyToStartContainers" && is === "True",
  );
}

/** Of all kinds, as the runtime counts them. */
function containerStates(pods: readonly Pod[]): MetricFamily["samples"] {
  const counts = new Map([
    ["running", 0],
    ["exited", 0],
  ]);
  for (const { status } of pods) {
    const all = [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
      ...(status?.ephemeralContainerStatuses ?? []),
    ];
    for (const { state } of all) {
      const name = state?.running ? "running" : state?.terminated ? "exited" : undefined;
      if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].map(([name, value]) => ({ labels: { container_state: name }, value }));
}

import type { APIServiceStatus } from "../../api/generated/types/apiregistration-v1.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";
import type { VersionInfo } from "../http/plain-pages.ts";
import type { ResourceRegistry } from "../resource-registry.ts";
import type { MetricSource } from "./metrics-pages.ts";

/** Which build this is, and what it holds. */
export function serverMetrics(version: VersionInfo, registry: ResourceRegistry): MetricSource {
  return () => [buildInfo(version), storedObjects(registry), unavailableServices(registry)];
}

function buildInfo(version: VersionInfo): MetricFamily {
  const { major = "", minor = "", gitVersion = "", gitCommit = "", gitTreeState = "" } = version;
  const { buildDate = "", goVersion = "", compiler = "", platform = "" } = version;
  const labels = {
    build_date: buildDate,
    compiler,
    git_commit: gitCommit,
    git_tree_state: gitTreeState,
    git_version: gitVersion,
    go_version: goVersion,
    major,
    minor,
    platform,
  };
  return {
    name: "kubernetes_build_info",
    type: "gauge",
    help: "Always 1; its labels say which build this is.",
    samples: [{ labels, value: 1 }],
  };
}

/** APIServices whose server cannot be asked now. */
function unavailableServices(registry: ResourceRegistry): MetricFamily {
  const cache = registry.find("apiregistration.k8s.io", "v1", "apiservices")?.cache;
  const services = (cache?.keys("") ?? []).flatMap((key) => cache?.get(key)?.object() ?? []);
  return {
    name: "aggregator_unavailable_apiservice",
    type: "gauge",
    help: "1 for APIServices that are not available.",
    samples: services.map(({ metadata, status }) => {
      const { conditions = [] } = (status ?? {}) as Pick<APIServiceStatus, "conditions">;
      const isAway = conditions.some(
        ({ type, status: is }) => type === "Available" && is !== "True",
      );
      return { labels: { name: metadata.name ?? "" }, value: Number(isAway) };
    }),
  };
}

/** Versions of one resource share what is stored; answers to questions are not stored. */
function storedObjects(registry: ResourceRegistry): MetricFamily {
  const sizes = new Map<string, number>();
  for (const { resource, cache } of registry.all()) {
    const { group, plural, verbs } = resource;
    if (verbs && !verbs.includes("list")) continue;
    sizes.set(group ? `${plural}.${group}` : plural, cache.size);
  }
  return {
    name: "apiserver_storage_objects",
    type: "gauge",
    help: "Objects that are stored, by resource.",
    samples: [...sizes].map(([resource, value]) => ({ labels: { resource }, value })),
  };
}

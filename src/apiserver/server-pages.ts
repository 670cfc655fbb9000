import type { SchemaModel } from "../api/schema/model.ts";
import type { Store } from "../store/store.ts";
import type { Aggregation } from "./aggregation/aggregation.ts";
import type { ComponentCheck } from "./contract.ts";
import type { Engine } from "./engine.ts";
import type { HealthCheck } from "./http/health-pages.ts";
import { type PageSource, PlainPages, type VersionInfo } from "./http/plain-pages.ts";
import { metricsPages, type MetricSource } from "./metrics/metrics-pages.ts";
import { serverMetrics } from "./metrics/server-metrics.ts";
import { OpenApiPages } from "./openapi/open-api-pages.ts";
import type { ResourceRegistry } from "./resource-registry.ts";

const VERSION: VersionInfo = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.3+nephos",
  // What git calls no commit: clients expect hexadecimal digits.
  gitCommit: "0".repeat(40),
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "tsc",
  platform: "linux/amd64",
};

/** A server exists only when its caches are filled. */
const SYNCED: HealthCheck = { name: "informer-sync", check: () => undefined };

/** What the pages tell of beside the engine. */
export interface ServerPagesParts {
  /** Default: of this API, and of no build. */
  version: VersionInfo | undefined;
  model: SchemaModel;
  aggregation: Aggregation | undefined;
  readyChecks: readonly HealthCheck[];
  metrics: readonly MetricSource[];
  /** Further paths. */
  pages: readonly PageSource[];
}

/** What a server tells of itself beside its objects: versions, health, figures, OpenAPI. */
export function serverPages(engine: Engine, of: ServerPagesParts): PlainPages {
  const version = of.version ?? VERSION;
  const openApi = new OpenApiPages({
    model: of.model,
    version: version["gitVersion"] ?? "",
    resources: () => {
      const listed = engine.registry.all().filter(({ unlisted }) => !unlisted);
      return listed.map(({ resource }) => resource);
    },
    generation: () => engine.registry.generation,
    customSchema: (resource) => engine.registry.of(resource)?.schema,
    others: () => of.aggregation?.openApiHashes() ?? new Map<string, string>(),
    otherSwaggers: () => of.aggregation?.openApiV2() ?? Promise.resolve([]),
  });
  const checks = {
    live: [storeCheck(engine.store, "etcd")],
    ready: [SYNCED, ...of.readyChecks],
  };
  const metrics = metricsPages({
    checks,
    sources: [
      serverMetrics(version, engine.registry),
      () => of.aggregation?.metrics() ?? [],
      ...of.metrics,
    ],
  });
  return new PlainPages({
    version,
    apiPaths: () => rootsOf(engine.registry),
    checks,
    sources: [
      metrics,
      (path, { accept, query }) =>
        path === "/openapi/v2"
          ? openApi.swagger(accept)
          : openApi.page(path, { accept, hash: query.get("hash") }),
      ...of.pages,
    ],
  });
}

/** "/api/v1", "/apis/apps", "/apis/apps/v1". */
function rootsOf(registry: ResourceRegistry): string[] {
  const roots = new Set<string>();
  for (const { resource, unlisted } of registry.all()) {
    if (unlisted) continue;
    const { group, version } = resource;
    if (group) roots.add(`/apis/${group}`);
    roots.add(group ? `/apis/${group}/${version}` : `/api/${version}`);
  }
  return [...roots];
}

/** The store under a name that clients know it by. */
export function storeCheck(store: Store, name: string): ComponentCheck {
  const check = async () => {
    try {
      await store.revision();
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  return { name, check };
}

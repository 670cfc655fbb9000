import type { RemoteDiscovery } from "../discovery/discovery.ts";
import type { Aggregation } from "./aggregation.ts";

type Json = Record<string, unknown>;

/** One entry of `APIResourceList`, as far as aggregated discovery shows it. */
interface ListedResource {
  name: string;
  singularName?: string;
  namespaced?: boolean;
  group?: string;
  version?: string;
  kind?: string;
  verbs?: string[];
  shortNames?: string[];
  categories?: string[];
}

/** `APIResourceList` of another server as `APIVersionDiscovery.resources`; [] for anything else. */
export function aggregatedResources(
  document: unknown,
  at: { group: string; version: string },
): Json[] {
  const { resources } = (document ?? {}) as { resources?: unknown };
  if (!Array.isArray(resources)) return [];
  const listed = (resources as ListedResource[]).filter(({ name }) => typeof name === "string");
  const kindOf = ({ group, version, kind = "" }: ListedResource) => ({
    group: group ?? at.group,
    version: version ?? at.version,
    kind,
  });
  return listed
    .filter(({ name }) => !name.includes("/"))
    .map((resource) => {
      const below = listed.filter(({ name }) => name.startsWith(`${resource.name}/`));
      return {
        resource: resource.name,
        responseKind: kindOf(resource),
        scope: resource.namespaced ? "Namespaced" : "Cluster",
        singularResource: resource.singularName ?? "",
        verbs: resource.verbs ?? [],
        ...(resource.shortNames?.length ? { shortNames: resource.shortNames } : {}),
        ...(resource.categories?.length ? { categories: resource.categories } : {}),
        ...(below.length > 0
          ? {
              subresources: below.map((each) => ({
                subresource: each.name.slice(resource.name.length + 1),
                responseKind: kindOf(each),
                verbs: each.verbs ?? [],
              })),
            }
          : {}),
      };
    });
}

/** What discovery needs of aggregation. */
export function remoteDiscovery(aggregation: Aggregation): RemoteDiscovery {
  return {
    get generation() {
      return aggregation.generation;
    },
    groupVersions: () =>
      aggregation.table.remotes().map((remote) => ({
        ...remote,
        resources: aggregation.resourcesOf(remote),
      })),
  };
}

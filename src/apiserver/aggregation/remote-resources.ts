type Json = Record<string, unknown>;

/** Nobody has so many kinds in one version; who says so fills our discovery for no reason. */
const RESOURCES_MAX = 1_000;

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
  const listed = (resources as (ListedResource | null)[])
    .slice(0, RESOURCES_MAX)
    .filter((each): each is ListedResource => typeof each?.name === "string");
  const kindOf = ({ group, version, kind = "" }: ListedResource) => ({
    group: group ?? at.group,
    version: version ?? at.version,
    kind,
  });
  const subresources = new Map<string, ListedResource[]>();
  for (const resource of listed) {
    const slash = resource.name.indexOf("/");
    if (slash < 0) continue;
    const parent = resource.name.slice(0, slash);
    subresources.set(parent, [...(subresources.get(parent) ?? []), resource]);
  }
  return listed
    .filter(({ name }) => !name.includes("/"))
    .map((resource) => {
      const below = subresources.get(resource.name) ?? [];
      return {
        resource: resource.name,
        responseKind: kindOf(resource),
        scope: resource.namespaced ? "Namespaced" : "Cluster",
        singularResource: resource.singularName ?? "",
        verbs: textsOf(resource.verbs),
        ...(resource.shortNames?.length ? { shortNames: textsOf(resource.shortNames) } : {}),
        ...(resource.categories?.length ? { categories: textsOf(resource.categories) } : {}),
        ...(below.length > 0
          ? {
              subresources: below.map((each) => ({
                subresource: each.name.slice(resource.name.length + 1),
                responseKind: kindOf(each),
                verbs: textsOf(each.verbs),
              })),
            }
          : {}),
      };
    });
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}

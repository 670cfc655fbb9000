import type { Resource } from "../api/resource.ts";
import type { Transport } from "../api/transport.ts";
import type { ApiObject } from "./ownership.ts";

/** A resource that the server serves now, and what can be done with it. */
export interface ServedResource extends Resource<ApiObject> {
  verbs: readonly string[];
}

/** What discovery found; a group whose server does not answer is named, not guessed. */
export interface Discovered {
  resources: ServedResource[];
  failures: { groupVersion: string; message: string }[];
}

interface ApiResourceList {
  resources?: {
    name: string;
    singularName?: string;
    namespaced: boolean;
    kind: string;
    verbs?: string[];
  }[];
}

interface ApiGroupList {
  groups?: {
    name: string;
    preferredVersion?: { version: string };
    versions?: { version: string }[];
  }[];
}

/** Asks for every resource in the version its group prefers; subresources are left out. */
export async function discoverResources(transport: Transport): Promise<Discovered> {
  const found: Discovered = { resources: [], failures: [] };
  const get = async <T>(path: string) =>
    (await transport.request({ method: "GET", path })).body as T;
  const groups: { group: string; version: string; path: string }[] = [
    { group: "", version: "v1", path: "/api/v1" },
  ];
  for (const group of (await get<ApiGroupList>("/apis")).groups ?? []) {
    const version = group.preferredVersion?.version ?? group.versions?.[0]?.version;
    if (!version) continue;
    groups.push({ group: group.name, version, path: `/apis/${group.name}/${version}` });
  }
  const lists = await Promise.allSettled(groups.map(({ path }) => get<ApiResourceList>(path)));
  for (const [at, { group, version }] of groups.entries()) {
    const list = lists[at];
    if (list?.status !== "fulfilled") {
      const groupVersion = group ? `${group}/${version}` : version;
      found.failures.push({ groupVersion, message: String(list?.reason) });
      continue;
    }
    for (const one of list.value.resources ?? []) {
      if (one.name.includes("/")) continue;
      found.resources.push({
        group,
        version,
        plural: one.name,
        singular: one.singularName ?? "",
        kind: one.kind,
        namespaced: one.namespaced,
        verbs: one.verbs ?? [],
      });
    }
  }
  return found;
}

import type { Aggregation } from "./aggregation.ts";
import type { RemoteDiscovery } from "../discovery/discovery.ts";

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

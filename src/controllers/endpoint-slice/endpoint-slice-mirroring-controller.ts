import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from "../../api/generated/resources.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { liveOwner } from "../live-owner.ts";
import { controllerOf, isTerminating, refOf, uidOf } from "../ownership.ts";
import { MANAGED_BY, SERVICE_NAME } from "./endpoint-slice-plan.ts";
import {
  isMirrored,
  MIRROR_MANAGER,
  MIRRORED_MAX,
  planMirror,
  unmirroredCount,
} from "./mirror-plan.ts";
import { createSliceMemory, sliceWriter } from "./slice-writer.ts";

const BY_SERVICE = "service";

/**
 * Repeats Endpoints that somebody wrote for a Service without selector as EndpointSlices, which are
 * all that proxies and DNS read.
 */
export function endpointSliceMirroringController(): ControllerDefinition {
  const memory = createSliceMemory();
  const { overlay } = memory;
  const ours = (slice: EndpointSlice) => slice.metadata?.labels?.[MANAGED_BY] === MIRROR_MANAGER;
  const serviceOf = ({ metadata }: EndpointSlice) => metadata?.labels?.[SERVICE_NAME] ?? "";
  return defineController({
    name: "endpoint-slice-mirroring",
    inputs: {
      endpoints: input(ENDPOINTS, (endpoints) => [refOf(endpoints)]),
      services: input(SERVICES, (service) => [refOf(service)]),
      slices: input(
        ENDPOINT_SLICES,
        (slice) => {
          if (!ours(slice)) return [];
          overlay.observe(controllerOf(slice)?.uid ?? "", slice);
          return [{ name: serviceOf(slice), namespace: slice.metadata?.namespace }];
        },
        {
          indexes: {
            [BY_SERVICE]: (slice) =>
              ours(slice) ? [`${slice.metadata?.namespace}/${serviceOf(slice)}`] : [],
          },
        },
      ),
    },
    outputs: [{ resource: ENDPOINT_SLICES, verbs: ["create", "update", "delete"] }],
    async reconcile({ inputs, client, clock, events }, key) {
      const endpoints = inputs.endpoints.get(key.namespace, key.name);
      const service = inputs.services.get(key.namespace, key.name);
      const owner = endpoints ? uidOf(endpoints) : "";
      const isOwnerThere = endpoints ? liveOwner(client, ENDPOINTS, endpoints) : async () => false;
      const execute = sliceWriter(memory, { owner, isOwnerThere, client, clock });
      const all = inputs.slices.byIndex(BY_SERVICE, `${key.namespace}/${key.name}`);
      const isOwn = (slice: EndpointSlice) => controllerOf(slice)?.uid === owner;
      // Those of Endpoints that were made anew go with the old ones.
      const foreign = all.filter((slice) => !isOwn(slice) && !isTerminating(slice));
      const { revision } = inputs.slices;
      const own = { ownedBy: () => all.filter(isOwn), revision };
      const slices = overlay.remaining(owner, own, clock.now());
      const isWanted = service && endpoints && isMirrored(endpoints, service);
      if (service && isTerminating(service)) return;
      if (endpoints && isTerminating(endpoints)) return;
      const skipped = isWanted ? unmirroredCount(endpoints) : 0;
      if (skipped > 0) {
        const about = { apiVersion: "v1", kind: ENDPOINTS.kind, metadata: endpoints?.metadata };
        const message =
          `A max of ${MIRRORED_MAX} addresses can be mirrored to EndpointSlices per Endpoints ` +
          `subset. ${skipped} addresses were skipped`;
        events.record({ about, type: "Warning", reason: "TooManyAddressesToMirror", message });
      }
      const steps = isWanted
        ? planMirror(endpoints, { service, slices })
        : slices.map((slice) => ({ do: "delete", slice }) as const);
      const stale = foreign.map((slice) => ({ do: "delete", slice }) as const);
      await Promise.all([...steps, ...stale].map(execute));
      for (const slice of foreign) overlay.forget(controllerOf(slice)?.uid ?? "");
    },
  });
}

import { isAlreadyExists, isNotFound } from "../../api/errors.ts";
import {
  ENDPOINT_SLICES,
  ENDPOINTS,
  NODES,
  PODS,
  SERVICES,
} from "../../api/generated/resources.ts";
import type { Pod, Service } from "../../api/generated/types/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import type { ObjectRef } from "../../client/client.ts";
import {
  type ControllerDefinition,
  defineController,
  input,
  type ListerLookup,
} from "../../client/controller.ts";
import type { Lister } from "../../client/informer.ts";
import { liveOwner } from "../live-owner.ts";
import { controllerOf, isTerminating, refOf, uidOf } from "../ownership.ts";
import { compileSelector } from "../selector.ts";
import { MANAGED_BY, MANAGER, planEndpointSlices, SERVICE_NAME } from "./endpoint-slice-plan.ts";
import { annotationsOf, endpointsOf, isCurrent } from "./endpoints-plan.ts";
import { SharingNews } from "./sharing-news.ts";
import { createSliceMemory, sliceWriter } from "./slice-writer.ts";
import { hintMode, zoneFacts, zoneOf, zoneShares } from "./zone-hints.ts";

const BY_SERVICE = "service";

function servicesOfPod(pod: Pod, listers: ListerLookup): ObjectRef[] {
  return listers
    .of(SERVICES)
    .list(pod.metadata?.namespace)
    .filter((service) => selects(service, pod))
    .map(refOf);
}

function selects(service: Service, pod: Pod): boolean {
  return compileSelector({ matchLabels: service.spec?.selector ?? {} })(pod.metadata?.labels);
}

/** Pods of a service, or undefined when somebody else looks after its endpoints. */
function podsOf(service: Service, pods: Lister<Pod>): Pod[] | undefined {
  const { selector, type } = service.spec ?? {};
  if (!selector || Object.keys(selector).length === 0 || type === "ExternalName") return undefined;
  const matches = compileSelector({ matchLabels: selector });
  return pods.list(service.metadata?.namespace).filter((pod) => matches(pod.metadata?.labels));
}

/** Keeps the EndpointSlices of every Service with a selector. */
export function endpointSliceController(): ControllerDefinition {
  const memory = createSliceMemory();
  const { overlay } = memory;
  const sharing = new SharingNews();
  const factsByNode = new Map<string, string>();
  const ours = (slice: EndpointSlice) => slice.metadata?.labels?.[MANAGED_BY] === MANAGER;
  const serviceKey = (slice: EndpointSlice): string =>
    `${slice.metadata?.namespace}/${slice.metadata?.labels?.[SERVICE_NAME]}`;
  return defineController({
    name: "endpoint-slice",
    inputs: {
      services: input(SERVICES, (service) => [refOf(service)]),
      pods: input(PODS, servicesOfPod),
      slices: input(
        ENDPOINT_SLICES,
        (slice) => {
          if (!ours(slice)) return [];
          overlay.observe(controllerOf(slice)?.uid ?? "", slice);
          const name = slice.metadata?.labels?.[SERVICE_NAME];
          return name ? [{ name, namespace: slice.metadata?.namespace }] : [];
        },
        { indexes: { [BY_SERVICE]: (slice) => (ours(slice) ? [serviceKey(slice)] : []) } },
      ),
      nodes: input(NODES, ({ metadata }, listers) => {
        const { name = "" } = metadata ?? {};
        const facts = zoneFacts(listers.of(NODES).get(undefined, name));
        if ((factsByNode.get(name) ?? "") === facts) return [];
        if (facts) factsByNode.set(name, facts);
        else factsByNode.delete(name);
        const services = listers.of(SERVICES).list();
        return services.filter((service) => hintMode(service) === "shared").map(refOf);
      }),
    },
    outputs: [{ resource: ENDPOINT_SLICES, verbs: ["create", "update", "delete"] }],
    async reconcile({ inputs, client, clock, events }, key) {
      const slices = inputs.slices.byIndex(BY_SERVICE, `${key.namespace}/${key.name}`);
      const service = inputs.services.get(key.namespace, key.name);
      const owner = service ? uidOf(service) : "";
      const isOwnerThere = service ? liveOwner(client, SERVICES, service) : async () => false;
      const execute = sliceWriter(memory, { owner, isOwnerThere, client, clock });
      if (!service) {
        await Promise.all(slices.map((slice) => execute({ do: "delete", slice })));
        overlay.forget(owner);
        sharing.forget(key);
        return;
      }
      const pods = podsOf(service, inputs.pods);
      if (!pods || isTerminating(service)) return;
      const { revision } = inputs.slices;
      const steps = planEndpointSlices(service, {
        pods,
        slices: overlay.remaining(owner, { ownedBy: () => slices, revision }, clock.now()),
        zoneOf: (name) => (name ? zoneOf(inputs.nodes.get(undefined, name)) : undefined),
        shares: () => zoneShares(inputs.nodes.list()),
        onShared: (family, refusal) => sharing.learn({ service, family, refusal, events }),
      });
      if (hintMode(service) !== "shared") sharing.end({ service, events });
      await Promise.all(steps.map(execute));
    },
  });
}

/** Keeps the Endpoints object of every Service with a selector, for clients that still read it. */
export function endpointsController(): ControllerDefinition {
  // Endpoints that never had a Service are their author's business, also after a Service is gone.
  const served = new Set<string>();
  return defineController({
    name: "endpoints",
    inputs: {
      services: input(SERVICES, (service) => [refOf(service)]),
      pods: input(PODS, servicesOfPod),
      endpoints: input(ENDPOINTS, (endpoints) => [refOf(endpoints)]),
    },
    outputs: [{ resource: ENDPOINTS, verbs: ["create", "update", "delete"] }],
    async reconcile({ inputs, client }, key) {
      const stored = inputs.endpoints.get(key.namespace, key.name);
      const service = inputs.services.get(key.namespace, key.name);
      const resource = client.for(ENDPOINTS);
      const keyText = `${key.namespace}/${key.name}`;
      if (!service) {
        if (served.delete(keyText) && stored) {
          await resource.delete(key).catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
        }
        return;
      }
      served.add(keyText);
      const pods = podsOf(service, inputs.pods);
      if (!pods || isTerminating(service)) return;
      const wanted = endpointsOf(service, pods);
      if (!stored) {
        await resource.create(wanted).catch((error: unknown) => {
          // The cache lags behind our own create; its event brings us back.
          if (!isAlreadyExists(error)) throw error;
        });
      } else if (!isCurrent(stored, wanted)) {
        const annotations = annotationsOf(stored, wanted);
        const labels = wanted.metadata?.labels ?? {};
        const metadata = { ...stored.metadata, labels, annotations };
        const { subsets: _, ...rest } = stored;
        await resource.update({
          ...rest,
          metadata,
          ...(wanted.subsets ? { subsets: wanted.subsets } : {}),
        });
      }
    },
  });
}

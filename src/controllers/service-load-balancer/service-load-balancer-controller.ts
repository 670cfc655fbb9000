import { INGRESS_CLASSES, INGRESSES, NODES, SERVICES } from "../../api/generated/resources.ts";
import type { Service } from "../../api/generated/types/core-v1.ts";
import type { Ingress, IngressClass } from "../../api/generated/types/networking-v1.ts";
import { ingressClassOf, isServedClass } from "../../api/ingress-class.ts";
import type { ObjectRef } from "../../client/client.ts";
import {
  type ControllerDefinition,
  defineController,
  input,
  type ListerLookup,
} from "../../client/controller.ts";
import type { Lister } from "../../client/informer.ts";
import { jsonEqual } from "../json-equal.ts";
import { refOf } from "../ownership.ts";
import type { IngressPorts } from "./contract.ts";
import {
  type AddressSource,
  type Assignment,
  assignAddresses,
  balancerConditions,
  hasPortsError,
  type Claim,
  isOurs,
  portKeys,
} from "./load-balancer-plan.ts";

/**
 * Gives Services of type LoadBalancer addresses that lead to the nodes; the nodes' own rules do the
 * rest. Services with a `loadBalancerClass` are left to whoever that names.
 */
export function serviceLoadBalancerController(
  source: AddressSource,
  ingressPorts?: IngressPorts,
): ControllerDefinition {
  // The cache may be behind what was just written; two services must not get the same.
  const claims = new Map<string, Claim>();
  return defineController({
    name: "service-load-balancer",
    inputs: {
      services: input(SERVICES, (service) => [refOf(service)]),
      nodes: input(NODES, (_node, listers) => allOurs(listers)),
      ingresses: input(INGRESSES, () => []),
      classes: input(INGRESS_CLASSES, () => []),
    },
    outputs: [{ resource: SERVICES, verbs: ["update"], subresources: ["status"] }],
    workers: 1,
    async reconcile({ inputs, client, clock, events }, key) {
      const keyText = `${key.namespace}/${key.name}`;
      const service = inputs.services.get(key.namespace, key.name);
      const isGone = !service || service.metadata?.deletionTimestamp !== undefined;
      const held = claims.get(keyText);
      if (isGone || !isOurs(service)) {
        claims.delete(keyText);
        // What another implementation wrote is its own to take away.
        const isTold = held !== undefined || hasPortsError(service);
        const wasOurs = isTold && service?.spec?.type !== "LoadBalancer";
        if (service && !isGone && wasOurs) await write(service, { addresses: [] });
        return {};
      }
      const others = otherClaims(inputs.services.list(undefined).filter(isOurs), keyText);
      if (ingressPorts) {
        others.push(...claimOfIngresses(inputs.ingresses.list(), inputs.classes, ingressPorts));
      }
      const nodes = inputs.nodes.list(undefined);
      const assignment = assignAddresses(service, { source, nodes, others });
      const about = { apiVersion: "v1", kind: "Service", metadata: service.metadata };
      if ("problem" in assignment) {
        claims.delete(keyText);
        const message = `Error syncing load balancer: ${assignment.problem}`;
        events.record({ about, type: "Warning", reason: "SyncLoadBalancerFailed", message });
        await write(service, assignment);
        return { requeueAfterMs: RETRY_MS };
      }
      const { addresses } = assignment;
      claims.set(keyText, { holder: `service ${keyText}`, addresses, ports: portKeys(service) });
      if (await write(service, assignment)) {
        const message = "Ensured load balancer";
        events.record({ about, type: "Normal", reason: "EnsuredLoadBalancer", message });
      }
      return {};

      /** Whether the addresses are others than before. */
      async function write(of: Service, assignment: Assignment): Promise<boolean> {
        const ips = "addresses" in assignment ? assignment.addresses : [];
        const ingress = ips.map((ip) => ({ ip, ipMode: "VIP" }));
        const conditions = balancerConditions(of, { assignment, nowMs: clock.now() });
        const isMoved = !jsonEqual(of.status?.loadBalancer?.ingress ?? [], ingress);
        if (!isMoved && jsonEqual(of.status?.conditions ?? [], conditions)) return false;
        const { conditions: _, ...rest } = of.status ?? {};
        const loadBalancer = ingress.length > 0 ? { ingress } : {};
        const told = conditions.length > 0 ? { conditions } : {};
        await client
          .for(SERVICES)
          .updateStatus({ ...of, status: { ...rest, loadBalancer, ...told } });
        return isMoved;
      }
    },
  });

  function otherClaims(services: readonly Service[], own: string): Claim[] {
    return services.flatMap((service) => {
      const { namespace = "", name = "" } = service.metadata ?? {};
      const key = `${namespace}/${name}`;
      if (key === own) return [];
      const known = claims.get(key);
      if (known) return [known];
      const ingress = service.status?.loadBalancer?.ingress ?? [];
      const addresses = ingress.flatMap(({ ip }) => (ip ? [ip] : []));
      return addresses.length > 0
        ? [{ holder: `service ${key}`, addresses, ports: portKeys(service) }]
        : [];
    });
  }
}

function allOurs(listers: ListerLookup): ObjectRef[] {
  return listers.of(SERVICES).list(undefined).filter(isOurs).map(refOf);
}

/** Once Ingresses are served at the nodes, their ports are not given away any more. */
function claimOfIngresses(
  ingresses: readonly Ingress[],
  classes: Lister<IngressClass>,
  { http, https }: IngressPorts,
): Claim[] {
  const served = ingresses.find((ingress) => {
    const name = ingressClassOf(ingress);
    const isServed = ingress.status?.loadBalancer?.ingress?.length;
    return isServed && name !== undefined && isServedClass(classes.get(undefined, name));
  });
  if (!served) return [];
  const holder = `ingress ${served.metadata?.namespace}/${served.metadata?.name}`;
  return [{ holder, addresses: [], ports: [`TCP/${http}`, `TCP/${https}`] }];
}

/** A port or an address may become free. */
const RETRY_MS = 30_000;

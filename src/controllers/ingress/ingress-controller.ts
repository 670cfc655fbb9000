import { INGRESS_CLASSES, INGRESSES, NODES, SERVICES } from "../../api/generated/resources.ts";
import type { IngressLoadBalancerIngress } from "../../api/generated/types/networking-v1.ts";
import { ingressClassOf, isServedClass } from "../../api/ingress-class.ts";
import {
  type ControllerDefinition,
  defineController,
  input,
  type ListerLookup,
} from "../../client/controller.ts";
import { jsonEqual } from "../json-equal.ts";
import { isTerminating, refOf } from "../ownership.ts";
import type { IngressPorts } from "../service-load-balancer/contract.ts";
import { planIngressStatus } from "./ingress-plan.ts";

/** For so long a status that somebody else wrote is left as it is. */
const FOREIGN_STATUS_MS = 1_000;

/** What was said of an Ingress last, and since when (monotonic) somebody says otherwise. */
interface ToldStatus {
  addresses: readonly IngressLoadBalancerIngress[];
  foreign: { version: string | undefined; atMs: number } | undefined;
}

/**
 * Says in the status of Ingresses where clients find them: at the nodes, whose proxies serve them.
 * Those of other classes are left alone.
 */
export function ingressController(ports: IngressPorts): ControllerDefinition {
  const told = new Map<string, ToldStatus>();
  const all = (listers: ListerLookup) => listers.of(INGRESSES).list(undefined).map(refOf);
  return defineController({
    name: "ingress",
    inputs: {
      ingresses: input(INGRESSES, (ingress) => [refOf(ingress)]),
      classes: input(INGRESS_CLASSES, (_class, listers) => all(listers)),
      nodes: input(NODES, (_node, listers) => all(listers)),
      services: input(SERVICES, ({ spec }, listers) =>
        spec?.type === "LoadBalancer" ? all(listers) : [],
      ),
    },
    outputs: [{ resource: INGRESSES, verbs: ["update"], subresources: ["status"] }],
    async reconcile({ inputs, client, clock, events }, { namespace, name }) {
      const ingress = inputs.ingresses.get(namespace, name);
      const key = `${namespace}/${name}`;
      if (!ingress || isTerminating(ingress)) return void told.delete(key);
      const className = ingressClassOf(ingress);
      if (className === undefined) return;
      if (!isServedClass(inputs.classes.get(undefined, className))) return;
      const plan = planIngressStatus({
        ports,
        nodes: inputs.nodes.list(),
        services: inputs.services.list(),
      });
      const about = { ...ingress, apiVersion: "networking.k8s.io/v1", kind: "Ingress" };
      if ("problem" in plan) {
        const message = `Not served: ${plan.problem}`;
        events.record({ about, type: "Warning", reason: "PortsTaken", message });
      }
      const wanted: IngressLoadBalancerIngress[] = "addresses" in plan ? plan.addresses : [];
      const current = ingress.status?.loadBalancer?.ingress ?? [];
      if (jsonEqual(current, wanted)) return;
      const { addresses = [], foreign } = told.get(key) ?? {};
      const version = ingress.metadata?.resourceVersion;
      const nowMs = clock.monotonicMs();
      // Who writes another one, and then writes on, is not to meet a version of ours in between.
      if (current.length > 0 && !jsonEqual(current, addresses)) {
        const seen = foreign && foreign.version === version ? foreign : { version, atMs: nowMs };
        told.set(key, { addresses, foreign: seen });
        const leftMs = seen.atMs + FOREIGN_STATUS_MS - nowMs;
        if (leftMs > 0) return { requeueAfterMs: leftMs };
      }
      told.set(key, { addresses: wanted, foreign: undefined });
      const loadBalancer = wanted.length > 0 ? { ingress: wanted } : {};
      await client
        .for(INGRESSES)
        .updateStatus({ ...ingress, status: { ...ingress.status, loadBalancer } });
    },
  });
}

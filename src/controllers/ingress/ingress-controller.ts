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

/**
 * Says in the status of Ingresses where clients find them: at the nodes, whose proxies serve them.
 * Those of other classes are left alone.
 */
export function ingressController(ports: IngressPorts): ControllerDefinition {
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
    async reconcile({ inputs, client, events }, { namespace, name }) {
      const ingress = inputs.ingresses.get(namespace, name);
      if (!ingress || isTerminating(ingress)) return;
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
      if (jsonEqual(ingress.status?.loadBalancer?.ingress ?? [], wanted)) return;
      const loadBalancer = wanted.length > 0 ? { ingress: wanted } : {};
      await client
        .for(INGRESSES)
        .updateStatus({ ...ingress, status: { ...ingress.status, loadBalancer } });
    },
  });
}

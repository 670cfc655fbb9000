import { INGRESS_CLASSES } from "../../api/generated/resources.ts";
import type { Ingress } from "../../api/generated/types/networking-v1.ts";
import type { AdmissionPlugin, ObjectReader } from "../contract.ts";
import { newestDefault } from "./default-class.ts";

const OLD_ANNOTATION = "kubernetes.io/ingress.class";

/** An Ingress that names no class gets the default one. */
export function defaultIngressClassPlugin(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "DefaultIngressClass",
    handles: ({ operation, resource, subresource }) =>
      operation === "CREATE" &&
      resource.group === "networking.k8s.io" &&
      resource.plural === "ingresses" &&
      !subresource,
    mutate: (request) => {
      const ingress = request.object as unknown as Ingress;
      if (ingress.spec?.ingressClassName !== undefined) return;
      if (ingress.metadata?.annotations?.[OLD_ANNOTATION] !== undefined) return;
      const found = newestDefault(reader.list(INGRESS_CLASSES), "ingressclass.kubernetes.io");
      if (found) ingress.spec = { ...ingress.spec, ingressClassName: found };
    },
  };
}

import type { Ingress, IngressClass } from "./generated/types/networking-v1.ts";

/** What an IngressClass says in `spec.controller` to be served by the proxies of the nodes. */
export const INGRESS_CONTROLLER = "nephos.dev/ingress";

/** The annotation that named a class before there was a field for it. */
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

/** Name of the class that an Ingress asks for; `undefined` when it asks for none. */
export function ingressClassOf({ metadata, spec }: Ingress): string | undefined {
  return spec?.ingressClassName ?? metadata?.annotations?.[CLASS_ANNOTATION];
}

/** Whether the proxies of the nodes serve an Ingress of this class. */
export function isServedClass(ingressClass: IngressClass | undefined): boolean {
  return ingressClass?.spec?.controller === INGRESS_CONTROLLER;
}

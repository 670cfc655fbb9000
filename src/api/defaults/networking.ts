import type { EndpointSlice } from "../generated/types/discovery-v1.ts";
import type { IngressClass, NetworkPolicy } from "../generated/types/networking-v1.ts";
import { type Defaulters, defaulter } from "./defaulter.ts";

/** Defaults of networking.k8s.io/v1. */
export const NETWORKING_DEFAULTS: Defaulters = {
  IngressClass: defaulter<IngressClass>(({ spec }) => {
    if (spec?.parameters) spec.parameters.scope ??= "Cluster";
  }),
  NetworkPolicy: defaulter<NetworkPolicy>((policy) => {
    const spec = (policy.spec ??= { podSelector: {} });
    spec.podSelector ??= {};
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of ports ?? []) port.protocol ??= "TCP";
    }
    if (spec.policyTypes?.length) return;
    spec.policyTypes = spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
  }),
};

/** Defaults of discovery.k8s.io/v1. */
export const DISCOVERY_DEFAULTS: Defaulters = {
  EndpointSlice: defaulter<EndpointSlice>((slice) => {
    for (const port of slice.ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  }),
};

import { invalid } from "../../api/errors.ts";
import type { StatusCause } from "../../api/status.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";

export interface ServicePort {
  name?: string;
  protocol?: string;
  port?: number;
  nodePort?: number;
}

const EXTERNAL_POLICY = "externalTrafficPolicy";
const ADDRESS_FIELDS = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"];

export function invalidService(service: KubeObject, cause: StatusCause): Error {
  return invalid({ group: "", kind: "Service" }, service.metadata.name ?? "", [cause]);
}

export function portsOf(service: KubeObject): ServicePort[] {
  const { ports } = fieldOf(service, "spec");
  return Array.isArray(ports) ? (ports as ServicePort[]) : [];
}

/** Cluster IPs that the Service holds. */
export function addressesOf(service: KubeObject): string[] {
  const { clusterIP } = fieldOf(service, "spec");
  return typeof clusterIP === "string" && /^\d/.test(clusterIP) ? [clusterIP] : [];
}

export function nodePortsOf(service: KubeObject): number[] {
  const ports = portsOf(service).flatMap(({ nodePort }) => (nodePort ? [nodePort] : []));
  const { healthCheckNodePort } = fieldOf(service, "spec");
  if (typeof healthCheckNodePort === "number" && healthCheckNodePort > 0) {
    ports.push(healthCheckNodePort);
  }
  return [...new Set(ports)];
}

/** What is said of address families, where there is only IPv4. @throws StatusError Invalid */
export function completeFamilies(service: KubeObject): void {
  const spec = fieldOf(service, "spec");
  const { clusterIP, selector } = spec;
  const families = Array.isArray(spec["ipFamilies"]) ? (spec["ipFamilies"] as string[]) : [];
  const anywhere = clusterIP === "None" && Object.keys(selector ?? {}).length === 0;
  if (anywhere) {
    // Its endpoints are the author's own, of whatever family.
    spec["ipFamilyPolicy"] ??= families.length === 1 ? "SingleStack" : "RequireDualStack";
    const first = families[0] ?? "IPv4";
    const both = [first, first === "IPv4" ? "IPv6" : "IPv4"];
    spec["ipFamilies"] = spec["ipFamilyPolicy"] === "SingleStack" ? [first] : both;
    return;
  }
  const causes: StatusCause[] = [];
  const refuse = (field: string, value: unknown, why: string) =>
    causes.push({
      reason: "FieldValueInvalid",
      message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
      field: `spec.${field}`,
    });
  families.forEach((family, index) => {
    if (family === "IPv6") refuse(`ipFamilies[${index}]`, family, "not configured on this cluster");
  });
  const list = Array.isArray(spec["clusterIPs"]) ? spec["clusterIPs"] : [];
  const policy = spec["ipFamilyPolicy"] ?? "SingleStack";
  const field = "ipFamilyPolicy";
  if (policy === "SingleStack") {
    const must = "must be RequireDualStack or PreferDualStack when multiple";
    if (families.length > 1) refuse(field, policy, `${must} IP families are specified`);
    else if (list.length > 1) refuse(field, policy, `${must} cluster IPs are specified`);
  } else if (policy === "RequireDualStack") {
    refuse(field, policy, "this cluster is not configured for dual-stack services");
  }
  if (causes.length > 0) {
    throw invalid({ group: "", kind: "Service" }, service.metadata.name ?? "", causes);
  }
  spec["ipFamilyPolicy"] = policy;
  spec["ipFamilies"] ??= ["IPv4"];
}

/** An update that leaves an address or node port out means the one it has. */
export function carryOver(service: KubeObject, old: KubeObject): void {
  dropWithType(service, old);
  const spec = fieldOf(service, "spec");
  const before = fieldOf(old, "spec");
  const { type } = spec;
  if (type !== "ExternalName" && before["type"] !== "ExternalName") {
    if (!spec["clusterIP"] && !spec["clusterIPs"]) {
      for (const field of ADDRESS_FIELDS) {
        if (before[field] !== undefined) spec[field] ??= structuredClone(before[field]);
      }
    } else if (spec["clusterIP"] !== before["clusterIP"]) {
      // Of the two fields the old client knows one: what it changed goes into the other.
      const list = spec["clusterIPs"];
      const same = deepEqual(list, before["clusterIPs"]);
      if (same && spec["clusterIP"]) spec["clusterIPs"] = [spec["clusterIP"]];
    }
  }
  if (type !== "NodePort" && type !== "LoadBalancer") return;
  for (const port of portsOf(service)) {
    if (!port.nodePort) delete port.nodePort;
    const same = portsOf(old).find(
      (other) => other.port === port.port && other.protocol === port.protocol,
    );
    if (same?.nodePort) port.nodePort ??= same.nodePort;
  }
  if (spec["externalTrafficPolicy"] === "Local" && before["healthCheckNodePort"]) {
    spec["healthCheckNodePort"] ??= before["healthCheckNodePort"];
  }
}

const hasNodePorts = (type: unknown) => type === "NodePort" || type === "LoadBalancer";

/** What belongs to a type goes with it, unless the client changed it as well. */
function dropWithType(service: KubeObject, old: KubeObject): void {
  const [spec, before] = [fieldOf(service, "spec"), fieldOf(old, "spec")];
  const dropSame = (...fields: string[]) => {
    if (!fields.every((field) => deepEqual(spec[field], before[field]))) return;
    for (const field of fields) delete spec[field];
  };
  if (spec["type"] === "ExternalName" && before["type"] !== "ExternalName") {
    dropSame("clusterIP", "clusterIPs");
    dropSame("ipFamilies");
    dropSame("ipFamilyPolicy");
  }
  if (!hasNodePorts(spec["type"]) && hasNodePorts(before["type"])) {
    const ports = (of: KubeObject) => portsOf(of).map(({ nodePort }) => nodePort);
    if (deepEqual(ports(service), ports(old))) {
      for (const port of portsOf(service)) delete port.nodePort;
    }
    const { externalIPs } = spec;
    if (!Array.isArray(externalIPs) || externalIPs.length === 0) dropSame(EXTERNAL_POLICY);
  }
  const checked = ({ type, externalTrafficPolicy }: Record<string, unknown>) =>
    type === "LoadBalancer" && externalTrafficPolicy === "Local";
  if (checked(before) && !checked(spec)) dropSame("healthCheckNodePort");
  if (before["type"] === "LoadBalancer" && spec["type"] !== "LoadBalancer") {
    dropSame("allocateLoadBalancerNodePorts");
    dropSame("loadBalancerClass");
  }
}

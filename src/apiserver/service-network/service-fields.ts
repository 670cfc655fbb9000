import { invalid } from "../../api/errors.ts";
import type { StatusCause } from "../../api/status.ts";
import type { ServiceSpec } from "../../api/generated/types/core-v1.ts";
import { validateClusterIps } from "../../api/validation/cluster-ips.ts";
import { FieldErrors } from "../../api/validation/field-errors.ts";
import { goStrings } from "../../api/validation/go-text.ts";
import { isIpv4 } from "../../api/validation/values.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";

export interface ServicePort {
  name?: string;
  protocol?: string;
  port?: number;
  nodePort?: number;
}

const POLICY = "spec.ipFamilyPolicy";
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

/**
 * Fills in which families of addresses a Service has; `old` is what it was.
 * @throws StatusError Invalid, in the order in which upstream judges
 */
export function completeFamilies(service: KubeObject, old?: KubeObject): void {
  const spec = fieldOf(service, "spec") as ServiceSpec;
  const anywhere = spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0;
  const before = old && (fieldOf(old, "spec") as ServiceSpec).ipFamilyPolicy;
  spec.ipFamilyPolicy ??= before ?? (anywhere ? "RequireDualStack" : "SingleStack");
  if (spec.clusterIP && spec.clusterIPs === undefined) spec.clusterIPs = [spec.clusterIP];
  const policy = spec.ipFamilyPolicy;
  const { clusterIPs = [], ipFamilies = [] } = spec;
  judge(service, (errors) => validateClusterIps(errors, spec));
  judge(service, (errors) => {
    const must = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
    if (policy === "SingleStack" && clusterIPs.length === 2) {
      errors.invalid(POLICY, policy, `${must} cluster IPs are specified`);
    }
    if (policy === "SingleStack" && ipFamilies.length === 2) {
      errors.invalid(POLICY, policy, `${must} IP families are specified`);
    }
    for (const [index, ip] of clusterIPs.entries()) {
      if (ip === "None" || isIpv4(ip) || index < ipFamilies.length) continue;
      const field = `spec.clusterIPs[${index}]`;
      errors.invalid(field, goStrings(clusterIPs), "IPv6 is not configured on this cluster");
    }
  });
  if (anywhere) {
    // Its endpoints are the author's own, of whatever family.
    const first = ipFamilies[0] ?? "IPv4";
    if (policy === "SingleStack" || ipFamilies.length > 1) spec.ipFamilies ??= [first];
    else spec.ipFamilies = [first, first === "IPv4" ? "IPv6" : "IPv4"];
    return;
  }
  judge(service, (errors) => {
    if (policy === "RequireDualStack") {
      errors.invalid(POLICY, policy, "this cluster is not configured for dual-stack services");
    }
    for (const [index, family] of ipFamilies.entries()) {
      if (family === "IPv4") continue;
      errors.invalid(`spec.ipFamilies[${index}]`, family, "not configured on this cluster");
    }
  });
  if (ipFamilies.length === 0) spec.ipFamilies = ["IPv4"];
}

function judge(service: KubeObject, rules: (errors: FieldErrors) => void): void {
  const errors = new FieldErrors();
  rules(errors);
  if (errors.causes.length === 0) return;
  throw invalid({ group: "", kind: "Service" }, service.metadata.name ?? "", errors.causes);
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
      else if (same) spec["clusterIP"] = before["clusterIP"];
    }
  }
  carryNodePorts(service, old);
  if (isChecked(spec) && isChecked(before) && before["healthCheckNodePort"]) {
    spec["healthCheckNodePort"] ??= before["healthCheckNodePort"];
  }
}

/** A port that names no node port keeps that of its name, unless another port takes it. */
function carryNodePorts(service: KubeObject, old: KubeObject): void {
  const ports = portsOf(service);
  if (hasNodePorts(fieldOf(service, "spec")["type"])) {
    for (const port of ports) if (!port.nodePort) delete port.nodePort;
  }
  if (!takesNodePorts(fieldOf(service, "spec")) || !takesNodePorts(fieldOf(old, "spec"))) return;
  const taken = new Set(ports.map(({ nodePort }) => nodePort));
  const before = new Map(portsOf(old).map(({ name = "", nodePort }) => [name, nodePort]));
  for (const port of ports) {
    const nodePort = before.get(port.name ?? "");
    if (nodePort && !port.nodePort && !taken.has(nodePort)) port.nodePort = nodePort;
  }
}

const hasNodePorts = (type: unknown) => type === "NodePort" || type === "LoadBalancer";

type Spec = Record<string, unknown>;

/** Whether node ports are allocated where none are named. */
function takesNodePorts({ type, allocateLoadBalancerNodePorts }: Spec): boolean {
  return hasNodePorts(type) && (type === "NodePort" || allocateLoadBalancerNodePorts !== false);
}

/** Whether balancers ask nodes which of them have an endpoint. */
function isChecked({ type, externalTrafficPolicy }: Spec): boolean {
  return type === "LoadBalancer" && externalTrafficPolicy === "Local";
}

/** Whether traffic from outside the cluster comes in. */
function isOutside({ type, externalIPs }: Spec): boolean {
  if (hasNodePorts(type)) return true;
  return type === "ClusterIP" && Array.isArray(externalIPs) && externalIPs.length > 0;
}

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
  }
  if (isOutside(before) && !isOutside(spec)) dropSame("externalTrafficPolicy");
  if (isChecked(before) && !isChecked(spec)) dropSame("healthCheckNodePort");
  if (before["type"] === "LoadBalancer" && spec["type"] !== "LoadBalancer") {
    dropSame("allocateLoadBalancerNodePorts");
    dropSame("loadBalancerClass");
  }
}

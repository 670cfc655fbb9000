import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  qualifiedNameErrors,
} from "../../../lib/names.ts";
import type { Service, ServicePort, ServiceSpec } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStruct } from "../go-struct.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateLabels } from "../metadata.ts";
import {
  isIp,
  PROTOCOLS,
  validateCidr,
  validateIp,
  validateNonSpecialIp,
  validatePort,
  validatePortOrName,
} from "../values.ts";
import { validateClusterIps, validateClusterIpsUpdate } from "../cluster-ips.ts";

const TYPES: readonly string[] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const POLICIES: readonly string[] = ["Cluster", "Local"];
const AFFINITY_SECONDS_MAX = 86_400;
const AGENT_PORT = 10_250;
const HINTS = "service.kubernetes.io/topology-aware-hints";
const MODE = "service.kubernetes.io/topology-mode";
const SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";
const ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'";

export const SERVICE: KindRules<Service> = {
  nameRule: dns1035LabelErrors,
  validate(errors, { metadata, spec }) {
    if (!spec) return errors.required("spec.ports");
    const annotations = metadata?.annotations ?? {};
    const [hints, mode] = [annotations[HINTS], annotations[MODE]];
    if (hints !== undefined && mode !== undefined && hints !== mode) {
      const detail = `must match annotations[${HINTS}] when both are specified`;
      errors.invalid(`metadata.annotations[${MODE}]`, mode, detail);
    }
    const type = spec.type ?? "ClusterIP";
    const ports = spec.ports ?? [];
    const headless = spec.clusterIP === "None";
    if (ports.length === 0 && !headless && type !== "ExternalName") errors.required("spec.ports");
    if (headless && (type === "LoadBalancer" || type === "NodePort")) {
      const detail = `may not be set to 'None' for ${type} services`;
      errors.invalid("spec.clusterIPs[0]", "None", detail);
    }
    if (type === "ExternalName") validateExternalName(errors, spec);
    if (type === "LoadBalancer") refuseAgentPort(errors, ports);
    validatePorts(errors, ports);
    validateLabels(errors, "spec.selector", spec.selector);
    validateAffinity(errors, spec);
    validateClusterIps(errors, spec);
    for (const [index, ip] of (spec.externalIPs ?? []).entries()) {
      const validate = isIp(ip) ? validateNonSpecialIp : validateIp;
      validate(errors, `spec.externalIPs[${index}]`, ip);
    }
    errors.oneOf("spec.type", type, TYPES);
    validateRepeatedPorts(errors, ports, type);
    validateSourceRanges(errors, spec, annotations[SOURCE_RANGES]);
    if (spec.allocateLoadBalancerNodePorts !== undefined && type !== "LoadBalancer") {
      errors.forbidden("spec.allocateLoadBalancerNodePorts", ONLY_BALANCED);
    }
    validateClass(errors, spec);
    validateTraffic(errors, spec);
  },
  validateUpdate(errors, { spec }, old) {
    if (!spec || !old.spec) return;
    validateClusterIpsUpdate(errors, spec, old.spec);
    validateClassUpdate(errors, spec, old.spec);
    const needed = needsHealthCheck(spec) && needsHealthCheck(old.spec);
    if (needed && spec.healthCheckNodePort !== old.spec.healthCheckNodePort) {
      errors.forbidden("spec.healthCheckNodePort", "field is immutable");
    }
  },
  subresources: {
    status(errors, { spec, status }) {
      const balancers = status?.loadBalancer?.ingress ?? [];
      const field = "status.loadBalancer.ingress";
      if (balancers.length > 0 && spec?.type !== "LoadBalancer") {
        errors.forbidden(field, "may only be used when `spec.type` is 'LoadBalancer'");
        return;
      }
      for (const [index, { ip, ipMode, hostname }] of balancers.entries()) {
        const path = `${field}[${index}]`;
        if (ip) validateIp(errors, `${path}.ip`, ip);
        if (ip && ipMode === undefined) {
          errors.required(`${path}.ipMode`, "must be specified when `ip` is set");
        } else if (!ip && ipMode !== undefined) {
          errors.forbidden(`${path}.ipMode`, "may not be specified when `ip` is not set");
        } else errors.oneOf(`${path}.ipMode`, ipMode, ["Proxy", "VIP"]);
        if (!hostname) continue;
        errors.complaints(`${path}.hostname`, hostname, dns1123SubdomainErrors(hostname));
        if (!isIp(hostname)) continue;
        errors.invalid(`${path}.hostname`, hostname, "must be a DNS name, not an IP address");
      }
    },
  },
};

/** The port where every node's agent answers is not for anybody outside. */
function refuseAgentPort(errors: FieldErrors, ports: readonly ServicePort[]): void {
  for (const [index, { port }] of ports.entries()) {
    if (port !== AGENT_PORT) continue;
    const detail = `may not expose port ${AGENT_PORT} externally since it is used by kubelet`;
    errors.invalid(`spec.ports[${index}]`, port, detail);
  }
}

function validateExternalName(errors: FieldErrors, spec: ServiceSpec): void {
  const detail = "may not be set for ExternalName services";
  if ((spec.clusterIPs ?? []).length > 0) errors.forbidden("spec.clusterIPs", detail);
  if ((spec.ipFamilies ?? []).length > 0) errors.forbidden("spec.ipFamilies", detail);
  if (spec.ipFamilyPolicy !== undefined) errors.forbidden("spec.ipFamilyPolicy", detail);
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (!errors.present("spec.externalName", name)) return;
  errors.complaints("spec.externalName", name, dns1123SubdomainErrors(name));
}

function validatePorts(errors: FieldErrors, ports: readonly ServicePort[]): void {
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    const { name = "", targetPort } = port;
    if (name === "") {
      if (ports.length > 1) errors.required(`${path}.name`);
    } else {
      errors.complaints(`${path}.name`, name, dns1123LabelErrors(name));
      if (names.has(name)) errors.duplicate(`${path}.name`, name);
      names.add(name);
    }
    validatePort(errors, `${path}.port`, port.port);
    errors.oneOf(`${path}.protocol`, port.protocol, PROTOCOLS);
    validatePortOrName(errors, `${path}.targetPort`, targetPort ?? port.port);
    const { appProtocol } = port;
    if (appProtocol !== undefined) {
      errors.complaints(`${path}.appProtocol`, appProtocol, qualifiedNameErrors(appProtocol));
    }
  }
}

function validateRepeatedPorts(
  errors: FieldErrors,
  ports: readonly ServicePort[],
  type: string,
): void {
  if (type === "ClusterIP") {
    for (const [index, { nodePort }] of ports.entries()) {
      const detail = "may not be used when `type` is 'ClusterIP'";
      if (nodePort) errors.forbidden(`spec.ports[${index}].nodePort`, detail);
    }
  }
  const taken = new Set<string>();
  for (const [index, { nodePort, protocol = "TCP" }] of ports.entries()) {
    if (!nodePort) continue;
    const pair = `${protocol}/${nodePort}`;
    if (taken.has(pair)) errors.duplicate(`spec.ports[${index}].nodePort`, nodePort);
    taken.add(pair);
  }
  taken.clear();
  for (const [index, { port, protocol = "TCP" }] of ports.entries()) {
    const shown = { port, protocol };
    const pair = `${protocol}/${port}`;
    if (taken.has(pair))
      errors.duplicate(`spec.ports[${index}]`, goStruct("core.ServicePort", shown));
    taken.add(pair);
  }
}

function validateAffinity(errors: FieldErrors, spec: ServiceSpec): void {
  const { sessionAffinity, sessionAffinityConfig: config } = spec;
  errors.oneOf("spec.sessionAffinity", sessionAffinity, ["ClientIP", "None"]);
  const field = "spec.sessionAffinityConfig";
  if (sessionAffinity === "None" && config) {
    errors.forbidden(field, "must not be set when session affinity is None");
  }
  const seconds = config?.clientIP?.timeoutSeconds;
  if (seconds !== undefined && (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX)) {
    const detail = `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`;
    errors.invalid(`${field}.clientIP.timeoutSeconds`, seconds, detail);
  }
}

function validateSourceRanges(
  errors: FieldErrors,
  spec: ServiceSpec,
  annotation: string | undefined,
): void {
  const { loadBalancerSourceRanges: ranges = [], type } = spec;
  if (ranges.length > 0) {
    const field = "spec.LoadBalancerSourceRanges";
    if (type !== "LoadBalancer") errors.forbidden(field, ONLY_BALANCED);
    for (const [index, range] of ranges.entries()) {
      validateCidr(errors, `${field}[${index}]`, range.trim());
    }
  } else if (annotation !== undefined) {
    const field = `metadata.annotations[${SOURCE_RANGES}]`;
    if (type !== "LoadBalancer") errors.forbidden(field, ONLY_BALANCED);
    if (annotation.trim() === "") return;
    for (const range of annotation.split(",")) validateCidr(errors, field, range.trim());
  }
}

function validateClass(errors: FieldErrors, { type, loadBalancerClass }: ServiceSpec): void {
  if (loadBalancerClass === undefined) return;
  const field = "spec.loadBalancerClass";
  if (type !== "LoadBalancer") return errors.forbidden(field, ONLY_BALANCED);
  errors.complaints(field, loadBalancerClass, qualifiedNameErrors(loadBalancerClass));
}

/** Who balances is said once, with the type. */
function validateClassUpdate(errors: FieldErrors, spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.type !== "LoadBalancer" || old.type !== "LoadBalancer") return;
  if (spec.loadBalancerClass === old.loadBalancerClass) return;
  const value = spec.loadBalancerClass;
  errors.invalid("spec.loadBalancerClass", value, "may not change once set");
}

function needsHealthCheck({ type, externalTrafficPolicy }: ServiceSpec): boolean {
  return type === "LoadBalancer" && externalTrafficPolicy === "Local";
}

function validateTraffic(errors: FieldErrors, spec: ServiceSpec): void {
  const { externalTrafficPolicy, internalTrafficPolicy, healthCheckNodePort, type } = spec;
  const field = "spec.externalTrafficPolicy";
  const outward = type === "NodePort" || type === "LoadBalancer";
  const addressed = type === "ClusterIP" && (spec.externalIPs ?? []).length > 0;
  if (outward || addressed) errors.oneOf(field, externalTrafficPolicy, POLICIES);
  else if (externalTrafficPolicy) {
    const detail = "may only be set for externally-accessible services";
    errors.invalid(field, externalTrafficPolicy, detail);
  }
  if (!needsHealthCheck(spec)) {
    if (healthCheckNodePort) {
      const detail =
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
      errors.invalid("spec.healthCheckNodePort", healthCheckNodePort, detail);
    }
  } else if (!healthCheckNodePort) errors.required("spec.healthCheckNodePort");
  else validatePort(errors, "spec.healthCheckNodePort", healthCheckNodePort);
  errors.oneOf("spec.internalTrafficPolicy", internalTrafficPolicy, POLICIES);
  errors.oneOf("spec.trafficDistribution", spec.trafficDistribution, ["PreferClose"]);
}

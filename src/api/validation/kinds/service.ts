import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  qualifiedNameErrors,
} from "../../../lib/names.ts";
import type { Service, ServicePort, ServiceSpec } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable, validateLabels } from "../metadata.ts";
import {
  PROTOCOLS,
  isIp,
  validateCidr,
  validateIp,
  validatePort,
  validatePortOrName,
} from "../values.ts";

const TYPES: readonly string[] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

const AFFINITY_SECONDS_MAX = 86_400;

export const SERVICE: KindRules<Service> = {
  nameRule: dns1035LabelErrors,
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec.ports");
    const type = spec.type ?? "ClusterIP";
    errors.oneOf("spec.type", type, TYPES);
    const ports = spec.ports ?? [];
    if (ports.length === 0 && spec.clusterIP !== "None" && type !== "ExternalName") {
      errors.required("spec.ports");
    }
    validatePorts(errors, ports, type);
    validateLabels(errors, "spec.selector", spec.selector);
    validateAffinity(errors, spec);
    validateAddresses(errors, spec, type);
    if (type === "ExternalName") {
      const name = (spec.externalName ?? "").replace(/\.$/, "");
      if (errors.present("spec.externalName", name)) {
        errors.complaints("spec.externalName", name, dns1123SubdomainErrors(name));
      }
    }
    validateTraffic(errors, spec, type);
  },
  validateUpdate(errors, { spec }, old) {
    const before = old.spec;
    if (!spec || !before) return;
    const [now = spec.clusterIP] = spec.clusterIPs ?? [];
    const [was = before.clusterIP] = before.clusterIPs ?? [];
    const external = spec.type === "ExternalName" || before.type === "ExternalName";
    if (!external && was && now !== was) {
      errors.invalid("spec.clusterIPs[0]", spec.clusterIPs ?? [now], "may not change once set");
    }
    const balanced = spec.type === "LoadBalancer" && before.type === "LoadBalancer";
    if (balanced && spec.loadBalancerClass !== before.loadBalancerClass) {
      const values = { now: spec.loadBalancerClass, old: before.loadBalancerClass };
      validateImmutable(errors, "spec.loadBalancerClass", {
        ...values,
        detail: "may not change once set",
      });
    }
  },
};

function validatePorts(errors: FieldErrors, ports: readonly ServicePort[], type: string): void {
  const names = new Set<string>();
  const taken = new Set<string>();
  const nodePorts = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    const { name = "", protocol = "TCP", nodePort, targetPort } = port;
    if (name === "") {
      if (ports.length > 1) errors.required(`${path}.name`);
    } else {
      errors.complaints(`${path}.name`, name, dns1123LabelErrors(name));
      if (names.has(name)) errors.duplicate(`${path}.name`, name);
      names.add(name);
    }
    validatePort(errors, `${path}.port`, port.port);
    errors.oneOf(`${path}.protocol`, protocol, PROTOCOLS);
    if (targetPort !== undefined && targetPort !== 0 && targetPort !== "") {
      validatePortOrName(errors, `${path}.targetPort`, targetPort);
    }
    if (port.appProtocol) {
      errors.complaints(
        `${path}.appProtocol`,
        port.appProtocol,
        qualifiedNameErrors(port.appProtocol),
      );
    }
    const pair = `${protocol}/${port.port}`;
    if (taken.has(pair)) errors.duplicate(path, { port: port.port, protocol });
    taken.add(pair);
    if (!nodePort) continue;
    if (type === "ClusterIP" || type === "ExternalName") {
      errors.forbidden(`${path}.nodePort`, `may not be used when \`type\` is '${type}'`);
      continue;
    }
    validatePort(errors, `${path}.nodePort`, nodePort);
    const nodePair = `${protocol}/${nodePort}`;
    if (nodePorts.has(nodePair)) errors.duplicate(`${path}.nodePort`, nodePort);
    nodePorts.add(nodePair);
  }
}

function validateAffinity(errors: FieldErrors, spec: ServiceSpec): void {
  errors.oneOf("spec.sessionAffinity", spec.sessionAffinity, ["ClientIP", "None"]);
  const field = "spec.sessionAffinityConfig";
  if (spec.sessionAffinity === "None" && spec.sessionAffinityConfig) {
    errors.forbidden(field, "must not be set when session affinity is None");
  }
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (seconds !== undefined && (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX)) {
    const detail = `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`;
    errors.invalid(`${field}.clientIP.timeoutSeconds`, seconds, detail);
  }
}

function validateAddresses(errors: FieldErrors, spec: ServiceSpec, type: string): void {
  const ips = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
  for (const [index, ip] of ips.entries()) {
    const path = `spec.clusterIPs[${index}]`;
    if (type === "ExternalName" && ip) {
      errors.forbidden(path, "may not be set for services of type ExternalName");
    } else if (ip === "None") {
      if (ips.length > 1) errors.invalid(path, ip, "'None' must be the first and only value");
      if (type === "NodePort" || type === "LoadBalancer") {
        const detail = `may not be set to 'None' for ${type} services`;
        errors.invalid("spec.clusterIPs[0]", ip, detail);
      }
    } else if (ip !== "" && !isIp(ip)) validateIp(errors, path, ip);
  }
  if (spec.clusterIP && spec.clusterIPs?.[0] && spec.clusterIPs[0] !== spec.clusterIP) {
    errors.invalid("spec.clusterIPs", spec.clusterIPs, "first value must match `clusterIP`");
  }
  for (const [index, ip] of (spec.externalIPs ?? []).entries()) {
    validateIp(errors, `spec.externalIPs[${index}]`, ip);
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    errors.oneOf(`spec.ipFamilies[${index}]`, family, ["IPv4", "IPv6"]);
  }
  const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
  errors.oneOf("spec.ipFamilyPolicy", spec.ipFamilyPolicy, policies);
  for (const [index, range] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    validateCidr(errors, `spec.loadBalancerSourceRanges[${index}]`, range.trim());
  }
}

function validateTraffic(errors: FieldErrors, spec: ServiceSpec, type: string): void {
  const { externalTrafficPolicy, internalTrafficPolicy } = spec;
  const external =
    type === "NodePort" || type === "LoadBalancer" || (spec.externalIPs ?? []).length > 0;
  if (externalTrafficPolicy && !external) {
    const detail = "may only be set for externally-accessible services";
    errors.invalid("spec.externalTrafficPolicy", externalTrafficPolicy, detail);
  }
  errors.oneOf("spec.externalTrafficPolicy", externalTrafficPolicy || undefined, [
    "Cluster",
    "Local",
  ]);
  errors.oneOf("spec.internalTrafficPolicy", internalTrafficPolicy, ["Cluster", "Local"]);
}

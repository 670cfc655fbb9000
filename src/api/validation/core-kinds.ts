import { deepEqual } from "../../lib/deep-equal.ts";
import {
  configKeyErrors,
  dns1123LabelErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from "../../lib/names.ts";
import type { Lease } from "../generated/types/coordination-v1.ts";
import type {
  ConfigMap,
  Event,
  LimitRange,
  Namespace,
  Node,
  Pod,
  PodTemplate,
  ResourceQuota,
  Secret,
} from "../generated/types/core-v1.ts";
import type { RuntimeClass } from "../generated/types/node-v1.ts";
import type { PriorityClass } from "../generated/types/scheduling-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { type KindRules, rulesFor } from "./kind-rules.ts";
import { validateImmutable } from "./metadata.ts";
import { validatePod, validatePodTemplate, validatePodUpdate } from "./pods.ts";
import { exceeds, isCidr, validateAmount } from "./values.ts";

const DATA_SIZE_MAX = 1024 * 1024;
const USER_PRIORITY_MAX = 1_000_000_000;

const POD: KindRules<Pod> = {
  validate: validatePod,
  validateUpdate: validatePodUpdate,
  updateOnly: true,
};

const POD_TEMPLATE: KindRules<PodTemplate> = {
  validate(errors, { template }) {
    validatePodTemplate(errors, "template", template);
  },
};

type Data = Readonly<Record<string, string>>;

function base64Size(text: string): number {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return Math.floor((text.length * 3) / 4) - padding;
}

/** Bytes in UTF-8, without encoding the text. */
function utf8Size(text: string): number {
  let size = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff)) size += 2;
    else if (unit > 0x7f) size++;
  }
  return size;
}

function validateKeys(errors: FieldErrors, field: string, data: Data = {}): void {
  for (const key of Object.keys(data)) {
    const complaints = configKeyErrors(key);
    if (complaints.length > 0) errors.complaints(`${field}[${key}]`, key, complaints);
  }
}

function sizeOf(data: Data = {}, sizeOfValue = utf8Size): number {
  let total = 0;
  for (const key in data) total += sizeOfValue(data[key] ?? "");
  return total;
}

type Freezable = { immutable?: boolean; data?: Data; binaryData?: Data };

/** Data that was marked immutable stays as it is, the mark included. */
function validateFrozen(errors: FieldErrors, now: Freezable, old: Freezable): void {
  if (!old.immutable) return;
  const detail = "field is immutable when `immutable` is set";
  if (!now.immutable) errors.forbidden("immutable", detail);
  for (const name of ["data", "binaryData"] as const) {
    if (!deepEqual(now[name] ?? {}, old[name] ?? {})) errors.forbidden(name, detail);
  }
}

const CONFIG_MAP: KindRules<ConfigMap> = {
  validate(errors, { data, binaryData }) {
    validateKeys(errors, "data", data);
    validateKeys(errors, "binaryData", binaryData);
    for (const key of Object.keys(data ?? {})) {
      if (binaryData && Object.hasOwn(binaryData, key)) {
        errors.invalid(`data[${key}]`, key, "duplicate of key present in binaryData");
      }
    }
    if (sizeOf(data) + sizeOf(binaryData, base64Size) > DATA_SIZE_MAX) {
      errors.tooLong("", DATA_SIZE_MAX);
    }
  },
  validateUpdate: validateFrozen,
};

/** Keys that a secret of a known type must have; one of them is enough for "any". */
const SECRET_KEYS: ReadonlyMap<string, { keys: readonly string[]; any?: boolean }> = new Map(
  Object.entries({
    "kubernetes.io/dockerconfigjson": { keys: [".dockerconfigjson"] },
    "kubernetes.io/dockercfg": { keys: [".dockercfg"] },
    "kubernetes.io/basic-auth": { keys: ["username", "password"], any: true },
    "kubernetes.io/ssh-auth": { keys: ["ssh-privatekey"] },
    "kubernetes.io/tls": { keys: ["tls.crt", "tls.key"] },
  }),
);

const SECRET: KindRules<Secret> = {
  validate(errors, secret) {
    const { data = {}, type = "Opaque", metadata } = secret;
    validateKeys(errors, "data", data);
    if (sizeOf(data, base64Size) > DATA_SIZE_MAX) errors.tooLong("data", DATA_SIZE_MAX);
    const needed = SECRET_KEYS.get(type);
    const missing = needed?.keys.filter((key) => data[key] === undefined) ?? [];
    if (!needed?.any || missing.length === needed.keys.length) {
      for (const key of missing) errors.required(`data[${key}]`);
    }
    const account = "kubernetes.io/service-account.name";
    if (type === "kubernetes.io/service-account-token" && !metadata?.annotations?.[account]) {
      errors.required(`metadata.annotations[${account}]`);
    }
  },
  validateUpdate(errors, secret, old) {
    validateImmutable(errors, "type", {
      now: secret.type ?? "Opaque",
      old: old.type ?? "Opaque",
    });
    validateFrozen(errors, secret, old);
  },
};

const NAMESPACE: KindRules<Namespace> = {
  nameRule: dns1123LabelErrors,
  validate(errors, { spec }) {
    for (const [index, name] of (spec?.finalizers ?? []).entries()) {
      errors.complaints(`spec.finalizers[${index}]`, name, qualifiedNameErrors(name));
    }
  },
};

const NODE: KindRules<Node> = {
  validate(errors, { spec }) {
    const seen = new Set<string>();
    for (const [index, { key, value = "", effect }] of (spec?.taints ?? []).entries()) {
      const path = `spec.taints[${index}]`;
      errors.complaints(`${path}.key`, key, qualifiedNameErrors(key ?? ""));
      errors.complaints(`${path}.value`, value, labelValueErrors(value));
      if (errors.present(`${path}.effect`, effect)) {
        errors.oneOf(`${path}.effect`, effect, ["NoExecute", "NoSchedule", "PreferNoSchedule"]);
      }
      const pair = `${key}:${effect}`;
      if (seen.has(pair)) {
        errors.duplicate(path, { key, effect });
      }
      seen.add(pair);
    }
    for (const [index, cidr] of (spec?.podCIDRs ?? []).entries()) {
      if (!isCidr(cidr)) errors.invalid(`spec.podCIDRs[${index}]`, cidr, "must be a valid CIDR");
    }
  },
  validateUpdate(errors, { spec }, old) {
    const before = old.spec?.podCIDRs ?? [];
    if (before.length > 0 && !deepEqual(spec?.podCIDRs ?? [], before)) {
      const detail = 'node updates may not change podCIDR except from "" to valid';
      errors.forbidden("spec.podCIDRs", detail);
    }
    const provider = old.spec?.providerID;
    if (provider && spec?.providerID !== provider) {
      const detail = 'node updates may not change providerID except from "" to valid';
      errors.forbidden("spec.providerID", detail);
    }
  },
};

const EVENT: KindRules<Event> = {
  validate(errors, { involvedObject, metadata }) {
    const about = involvedObject?.namespace;
    const cluster =
      !about && (metadata?.namespace === "default" || metadata?.namespace === "kube-system");
    if (about !== metadata?.namespace && !cluster) {
      errors.invalid("involvedObject.namespace", about ?? "", "does not match event.namespace");
    }
  },
};

const LEASE: KindRules<Lease> = {
  validate(errors, { spec }) {
    const { leaseDurationSeconds, leaseTransitions } = spec ?? {};
    if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
      errors.invalid("spec.leaseDurationSeconds", leaseDurationSeconds, "must be greater than 0");
    }
    if (leaseTransitions !== undefined && leaseTransitions < 0) {
      const detail = "must be greater than or equal to 0";
      errors.invalid("spec.leaseTransitions", leaseTransitions, detail);
    }
  },
};

const PRIORITY_CLASS: KindRules<PriorityClass> = {
  validate(errors, { metadata, value, preemptionPolicy }) {
    const system = metadata?.name?.startsWith("system-");
    const known = ["system-node-critical", "system-cluster-critical"];
    if (system && !known.includes(metadata?.name ?? "")) {
      const detail =
        "priority class names with 'system-' prefix are reserved for system use only. error: ";
      errors.forbidden(
        "metadata.name",
        `${detail}${metadata?.name} is not a known system priority class`,
      );
    }
    if (!system && value > USER_PRIORITY_MAX) {
      const detail = `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`;
      errors.forbidden("value", detail);
    }
    errors.oneOf("preemptionPolicy", preemptionPolicy, ["Never", "PreemptLowerPriority"]);
  },
  validateUpdate(errors, now, old) {
    if (now.value !== old.value) errors.forbidden("value", "may not be changed in an update.");
    const values = { now: now.preemptionPolicy, old: old.preemptionPolicy };
    validateImmutable(errors, "preemptionPolicy", values);
  },
};

const RUNTIME_CLASS: KindRules<RuntimeClass> = {
  validate(errors, { handler }) {
    errors.complaints("handler", handler, dns1123LabelErrors(handler ?? ""));
  },
  validateUpdate(errors, now, old) {
    validateImmutable(errors, "handler", { now: now.handler, old: old.handler });
  },
};

const RESOURCE_QUOTA: KindRules<ResourceQuota> = {
  validate(errors, { spec }) {
    for (const [name, amount] of Object.entries(spec?.hard ?? {})) {
      const path = `spec.hard[${name}]`;
      errors.complaints(path, name, qualifiedNameErrors(name));
      validateAmount(errors, path, amount);
    }
  },
  validateUpdate(errors, { spec }, old) {
    validateImmutable(errors, "spec.scopes", {
      now: spec?.scopes ?? [],
      old: old.spec?.scopes ?? [],
    });
  },
};

const LIMIT_RANGE: KindRules<LimitRange> = {
  validate(errors, { spec }) {
    const types = new Set<string>();
    for (const [index, limit] of (spec?.limits ?? []).entries()) {
      const path = `spec.limits[${index}]`;
      if (types.has(limit.type)) errors.duplicate(`${path}.type`, limit.type);
      types.add(limit.type);
      const { max = {}, min = {} } = limit;
      for (const name of new Set([...Object.keys(max), ...Object.keys(min)])) {
        const low =
          min[name] === undefined
            ? undefined
            : validateAmount(errors, `${path}.min[${name}]`, min[name]);
        const high =
          max[name] === undefined
            ? undefined
            : validateAmount(errors, `${path}.max[${name}]`, max[name]);
        if (exceeds(low, high)) {
          const detail = `min value ${min[name]} is greater than max value ${max[name]}`;
          errors.invalid(`${path}.min[${name}]`, min[name], detail);
        }
      }
    }
  },
};

/** Rules of core kinds and the small ones around them, by "group/plural". */
export const CORE_RULES: Readonly<Record<string, KindRules<never>>> = {
  "/pods": rulesFor(POD),
  "/podtemplates": rulesFor(POD_TEMPLATE),
  "/configmaps": rulesFor(CONFIG_MAP),
  "/secrets": rulesFor(SECRET),
  "/namespaces": rulesFor(NAMESPACE),
  "/nodes": rulesFor(NODE),
  "/events": rulesFor(EVENT),
  "/resourcequotas": rulesFor(RESOURCE_QUOTA),
  "/limitranges": rulesFor(LIMIT_RANGE),
  "coordination.k8s.io/leases": rulesFor(LEASE),
  "scheduling.k8s.io/priorityclasses": rulesFor(PRIORITY_CLASS),
  "node.k8s.io/runtimeclasses": rulesFor(RUNTIME_CLASS),
};

import { deepEqual } from "../../lib/deep-equal.ts";
import { dns1035LabelErrors, dns1123SubdomainErrors, pathSegmentErrors } from "../../lib/names.ts";
import type { CustomResourceDefinition } from "../generated/types/apiextensions-v1.ts";
import type { APIService } from "../generated/types/apiregistration-v1.ts";
import type { HorizontalPodAutoscaler } from "../generated/types/autoscaling-v2.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../generated/types/core-v1.ts";
import type {
  Ingress,
  IngressBackend,
  IngressClass,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from "../generated/types/networking-v1.ts";
import type { PodDisruptionBudget } from "../generated/types/policy-v1.ts";
import type { StorageClass } from "../generated/types/storage-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { type KindRules, rulesFor } from "./kind-rules.ts";
import { validateImmutable } from "./metadata.ts";
import {
  exceeds,
  isIp,
  PROTOCOLS,
  readQuantity,
  validateAmount,
  validateCidr,
  validateCountOrPercent,
  validatePort,
  validatePortOrName,
  validateSelector,
} from "./values.ts";

const ACCESS_MODES: readonly string[] = [
  "ReadOnlyMany",
  "ReadWriteMany",
  "ReadWriteOnce",
  "ReadWriteOncePod",
];

const POD_DISRUPTION_BUDGET: KindRules<PodDisruptionBudget> = {
  validate(errors, { spec = {} }) {
    const { minAvailable, maxUnavailable } = spec;
    if (minAvailable !== undefined && maxUnavailable !== undefined) {
      errors.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set");
    }
    validateCountOrPercent(errors, "spec.minAvailable", minAvailable);
    validateCountOrPercent(errors, "spec.maxUnavailable", maxUnavailable);
    validateSelector(errors, "spec.selector", spec.selector);
  },
};

const HORIZONTAL_POD_AUTOSCALER: KindRules<HorizontalPodAutoscaler> = {
  validate(errors, { spec }) {
    const { minReplicas, maxReplicas = 0, scaleTargetRef } = spec ?? {};
    if (minReplicas !== undefined && minReplicas < 1) {
      errors.invalid("spec.minReplicas", minReplicas, "must be greater than or equal to 1");
    }
    if (maxReplicas < 1) errors.invalid("spec.maxReplicas", maxReplicas, "must be greater than 0");
    else if (minReplicas !== undefined && maxReplicas < minReplicas) {
      const detail = "must be greater than or equal to `minReplicas`";
      errors.invalid("spec.maxReplicas", maxReplicas, detail);
    }
    errors.present("spec.scaleTargetRef.kind", scaleTargetRef?.kind);
    errors.present("spec.scaleTargetRef.name", scaleTargetRef?.name);
  },
};

function validateBackend(
  errors: FieldErrors,
  field: string,
  backend: IngressBackend | undefined,
): void {
  const { service, resource } = backend ?? {};
  if (service && resource) {
    errors.invalid(field, "", "cannot set both resource and service backends");
  } else if (service) {
    if (errors.present(`${field}.service.name`, service.name)) {
      const complaints = dns1035LabelErrors(service.name);
      errors.complaints(`${field}.service.name`, service.name, complaints);
    }
    const { name, number } = service.port ?? {};
    if (name && number) {
      errors.invalid(field, "", "cannot set both port name & port number");
    } else if (name) validatePortOrName(errors, `${field}.service.port.name`, name);
    else if (number) validatePort(errors, `${field}.service.port.number`, number);
    else errors.required(field, "port name or number is required");
  } else if (resource) {
    errors.present(`${field}.resource.kind`, resource.kind);
    errors.present(`${field}.resource.name`, resource.name);
  } else errors.required(field, "service or resource backend is required");
}

const INGRESS: KindRules<Ingress> = {
  validate(errors, { spec = {} }) {
    const { rules = [], defaultBackend } = spec;
    if (rules.length === 0 && !defaultBackend) {
      const detail = "either `defaultBackend` or `rules` must be specified";
      errors.invalid("spec", rules, detail);
    }
    if (defaultBackend) validateBackend(errors, "spec.defaultBackend", defaultBackend);
    for (const [index, { host = "", http }] of rules.entries()) {
      const path = `spec.rules[${index}]`;
      if (isIp(host)) errors.invalid(`${path}.host`, host, "must be a DNS name, not an IP address");
      else if (host) {
        const plain = host.replace(/^\*\./, "");
        errors.complaints(`${path}.host`, host, dns1123SubdomainErrors(plain));
      }
      if (http && (http.paths ?? []).length === 0) errors.required(`${path}.http.paths`);
      for (const [at, { path: url = "", pathType, backend }] of (http?.paths ?? []).entries()) {
        const place = `${path}.http.paths[${at}]`;
        if (!pathType) errors.required(`${place}.pathType`, "pathType must be specified");
        const types = ["Exact", "ImplementationSpecific", "Prefix"];
        errors.oneOf(`${place}.pathType`, pathType || undefined, types);
        if (pathType !== "ImplementationSpecific" && !url.startsWith("/")) {
          errors.invalid(`${place}.path`, url, "must be an absolute path");
        }
        validateBackend(errors, `${place}.backend`, backend);
      }
    }
  },
};

const INGRESS_CLASS: KindRules<IngressClass> = {
  validate(errors, { spec }) {
    errors.present("spec.controller", spec?.controller);
  },
  validateUpdate(errors, { spec }, old) {
    const values = { now: spec?.controller, old: old.spec?.controller };
    validateImmutable(errors, "spec.controller", values);
  },
};

function validatePolicyPorts(
  errors: FieldErrors,
  field: string,
  ports: readonly NetworkPolicyPort[] = [],
): void {
  for (const [index, { protocol, port, endPort }] of ports.entries()) {
    const path = `${field}[${index}]`;
    errors.oneOf(`${path}.protocol`, protocol, PROTOCOLS);
    if (port !== undefined) validatePortOrName(errors, `${path}.port`, port);
    if (endPort === undefined) continue;
    if (port === undefined) {
      const detail = "may not be specified when `port` is not specified";
      errors.invalid(`${path}.endPort`, endPort, detail);
    } else if (typeof port === "string") {
      const detail = "may not be specified when `port` is non-numeric";
      errors.invalid(`${path}.endPort`, endPort, detail);
    } else if (endPort < port) {
      errors.invalid(`${path}.endPort`, endPort, "must be greater than or equal to `port`");
    }
  }
}

function validatePeers(
  errors: FieldErrors,
  field: string,
  peers: readonly NetworkPolicyPeer[] = [],
): void {
  for (const [index, { podSelector, namespaceSelector, ipBlock }] of peers.entries()) {
    const path = `${field}[${index}]`;
    if (!podSelector && !namespaceSelector && !ipBlock) {
      errors.required(path, "must specify a peer");
    } else if (ipBlock && (podSelector || namespaceSelector)) {
      errors.forbidden(path, "may not specify both ipBlock and another peer");
    }
    validateSelector(errors, `${path}.podSelector`, podSelector);
    validateSelector(errors, `${path}.namespaceSelector`, namespaceSelector);
    if (!ipBlock) continue;
    if (errors.present(`${path}.ipBlock.cidr`, ipBlock.cidr)) {
      validateCidr(errors, `${path}.ipBlock.cidr`, ipBlock.cidr);
    }
    for (const [at, except] of (ipBlock.except ?? []).entries()) {
      validateCidr(errors, `${path}.ipBlock.except[${at}]`, except);
    }
  }
}

const NETWORK_POLICY: KindRules<NetworkPolicy> = {
  validate(errors, { spec }) {
    validateSelector(errors, "spec.podSelector", spec?.podSelector);
    for (const [index, { ports, from }] of (spec?.ingress ?? []).entries()) {
      validatePolicyPorts(errors, `spec.ingress[${index}].ports`, ports);
      validatePeers(errors, `spec.ingress[${index}].from`, from);
    }
    for (const [index, { ports, to }] of (spec?.egress ?? []).entries()) {
      validatePolicyPorts(errors, `spec.egress[${index}].ports`, ports);
      validatePeers(errors, `spec.egress[${index}].to`, to);
    }
    for (const [index, type] of (spec?.policyTypes ?? []).entries()) {
      errors.oneOf(`spec.policyTypes[${index}]`, type, ["Egress", "Ingress"]);
    }
  },
};

function validateModes(errors: FieldErrors, modes: readonly string[] = []): void {
  for (const [index, mode] of modes.entries()) {
    errors.oneOf(`spec.accessModes[${index}]`, mode, ACCESS_MODES);
  }
}

const VOLUME_SETTINGS: readonly string[] = [
  "capacity",
  "accessModes",
  "claimRef",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "mountOptions",
  "volumeMode",
  "nodeAffinity",
  "volumeAttributesClassName",
];

function volumeSourcesOf(spec: object): string[] {
  return Object.keys(spec).filter((name) => !VOLUME_SETTINGS.includes(name));
}

const PERSISTENT_VOLUME: KindRules<PersistentVolume> = {
  validate(errors, { spec = {} }) {
    if ((spec.accessModes ?? []).length === 0) errors.required("spec.accessModes");
    validateModes(errors, spec.accessModes);
    const storage = spec.capacity?.storage;
    if (storage === undefined) errors.required("spec.capacity");
    else validateAmount(errors, "spec.capacity[storage]", storage);
    const policies = ["Delete", "Recycle", "Retain"];
    const policy = spec.persistentVolumeReclaimPolicy;
    errors.oneOf("spec.persistentVolumeReclaimPolicy", policy, policies);
    const [first, ...more] = volumeSourcesOf(spec);
    if (first === undefined) errors.required("spec", "must specify a volume type");
    for (const name of more) {
      errors.forbidden(`spec.${name}`, "may not specify more than 1 volume type");
    }
    if (spec.local && !spec.nodeAffinity) {
      errors.required("spec.nodeAffinity", "Local volume requires node affinity");
    }
  },
  validateUpdate(errors, { spec = {} }, old) {
    const source = (of: object) =>
      Object.fromEntries(Object.entries(of).filter(([name]) => !VOLUME_SETTINGS.includes(name)));
    if (!deepEqual(source(spec), source(old.spec ?? {}))) {
      errors.forbidden(
        "spec.persistentvolumesource",
        "spec.persistentvolumesource is immutable after creation",
      );
    }
    const values = { now: spec.volumeMode, old: old.spec?.volumeMode };
    validateImmutable(errors, "spec.volumeMode", values);
  },
};

const PERSISTENT_VOLUME_CLAIM: KindRules<PersistentVolumeClaim> = {
  validate(errors, { spec = {} }) {
    if ((spec.accessModes ?? []).length === 0) {
      errors.required("spec.accessModes", "at least 1 access mode is required");
    }
    validateModes(errors, spec.accessModes);
    if ((spec.accessModes?.length ?? 0) > 1 && spec.accessModes?.includes("ReadWriteOncePod")) {
      const detail = "may not use ReadWriteOncePod with other access modes";
      errors.forbidden("spec.accessModes", detail);
    }
    validateSelector(errors, "spec.selector", spec.selector);
    const storage = spec.resources?.requests?.storage;
    if (storage === undefined) errors.required("spec.resources[storage]");
    else if (validateAmount(errors, "spec.resources[storage]", storage)?.nanos === 0n) {
      errors.invalid("spec.resources[storage]", storage, "must be greater than zero");
    }
    errors.oneOf("spec.volumeMode", spec.volumeMode, ["Block", "Filesystem"]);
  },
  validateUpdate(errors, { spec = {} }, old) {
    const before = old.spec ?? {};
    const fixed = (of: PersistentVolumeClaim["spec"] = {}) => {
      const { resources: _, volumeName: __, volumeAttributesClassName: ___, ...rest } = of;
      return rest;
    };
    const rebound = before.volumeName && spec.volumeName !== before.volumeName;
    if (rebound || !deepEqual(fixed(spec), fixed(before))) {
      errors.forbidden(
        "spec",
        "spec is immutable after creation except resources.requests and " +
          "volumeAttributesClassName for bound claims",
      );
    }
    const [now, was] = [spec.resources?.requests?.storage, before.resources?.requests?.storage];
    if (now === undefined || was === undefined) return;
    const field = "spec.resources.requests.storage";
    const smallest = old.status?.capacity?.storage ?? was;
    if (exceeds(readQuantity(errors, field, smallest), readQuantity(errors, field, now))) {
      errors.forbidden(field, "field can not be less than status.capacity");
    }
  },
};

const STORAGE_CLASS: KindRules<StorageClass> = {
  validate(errors, { provisioner, reclaimPolicy, volumeBindingMode }) {
    errors.present("provisioner", provisioner);
    errors.oneOf("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]);
    const modes = ["Immediate", "WaitForFirstConsumer"];
    errors.oneOf("volumeBindingMode", volumeBindingMode, modes);
  },
  validateUpdate(errors, now, old) {
    if (!deepEqual(now.parameters ?? {}, old.parameters ?? {})) {
      errors.forbidden("parameters", "updates to parameters are forbidden.");
    }
    for (const name of ["provisioner", "reclaimPolicy"] as const) {
      if (now[name] !== old[name]) errors.forbidden(name, `updates to ${name} are forbidden.`);
    }
    const values = { now: now.volumeBindingMode, old: old.volumeBindingMode };
    validateImmutable(errors, "volumeBindingMode", values);
  },
};

const CUSTOM_RESOURCE_DEFINITION: KindRules<CustomResourceDefinition> = {
  validate(errors, { spec, metadata }) {
    if (!spec) return errors.required("spec");
    const { group, names, scope } = spec;
    if (errors.present("spec.group", group)) {
      errors.complaints("spec.group", group, dns1123SubdomainErrors(group));
      if (!group.includes(".")) {
        errors.invalid("spec.group", group, "should be a domain with at least one dot");
      }
    }
    if (metadata?.name !== `${names?.plural}.${group}`) {
      const detail = 'must be spec.names.plural+"."+spec.group';
      errors.invalid("metadata.name", metadata?.name, detail);
    }
    if (errors.present("spec.scope", scope)) {
      errors.oneOf("spec.scope", scope, ["Cluster", "Namespaced"]);
    }
    if (errors.present("spec.names.plural", names?.plural)) {
      errors.complaints("spec.names.plural", names.plural, dns1035LabelErrors(names.plural));
    }
    if (errors.present("spec.names.kind", names?.kind)) {
      const complaints = dns1035LabelErrors(names.kind.toLowerCase());
      errors.complaints("spec.names.kind", names.kind, complaints);
      if (names.listKind === names.kind) {
        const detail = "kind and listKind may not be the same";
        errors.invalid("spec.names.listKind", names.listKind, detail);
      }
    }
    validateVersions(errors, spec.versions ?? []);
  },
  validateUpdate(errors, { spec }, old) {
    const established = old.status?.conditions?.some(
      ({ type, status }) => type === "Established" && status === "True",
    );
    validateImmutable(errors, "spec.group", { now: spec?.group, old: old.spec?.group });
    const plural = { now: spec?.names?.plural, old: old.spec?.names?.plural };
    validateImmutable(errors, "spec.names.plural", plural);
    if (!established) return;
    validateImmutable(errors, "spec.scope", { now: spec?.scope, old: old.spec?.scope });
    const kind = { now: spec?.names?.kind, old: old.spec?.names?.kind };
    validateImmutable(errors, "spec.names.kind", kind);
  },
};

type Versions = NonNullable<CustomResourceDefinition["spec"]>["versions"];

function validateVersions(errors: FieldErrors, versions: Versions): void {
  const names = new Set<string>();
  for (const [index, { name, schema }] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    errors.complaints(`${path}.name`, name, dns1035LabelErrors(name ?? ""));
    if (names.has(name)) {
      errors.invalid("spec.versions", versions, "must contain unique version names");
    }
    names.add(name);
    if (!schema?.openAPIV3Schema) {
      errors.required(`${path}.schema.openAPIV3Schema`, "schemas are required");
    }
  }
  const stored = versions.filter(({ storage }) => storage).length;
  if (stored !== 1) {
    const detail = "must have exactly one version marked as storage version";
    errors.invalid(
      "spec.versions",
      versions.map(({ name }) => name),
      detail,
    );
  }
}

const API_SERVICE: KindRules<APIService> = {
  nameRule: pathSegmentErrors,
  validate(errors, { spec, metadata }) {
    const { group = "", version = "", service } = spec ?? {};
    const wanted = `${version}.${group}`;
    if (metadata?.name !== wanted) {
      const detail = `must be \`spec.version+"."+spec.group\`: "${wanted}"`;
      errors.invalid("metadata.name", metadata?.name, detail);
    }
    if (service) {
      errors.present("spec.service.namespace", service.namespace);
      errors.present("spec.service.name", service.name);
    }
    const priorities: [string, number | undefined, number][] = [
      ["spec.groupPriorityMinimum", spec?.groupPriorityMinimum, 20_000],
      ["spec.versionPriority", spec?.versionPriority, 1000],
    ];
    for (const [field, value = 0, max] of priorities) {
      if (value < 1 || value > max) {
        errors.invalid(field, value, `must be positive and less than or equal to ${max}`);
      }
    }
  },
};

/** Rules of policy, networking, storage and extension kinds, by "group/plural". */
export const OTHER_RULES: Readonly<Record<string, KindRules<never>>> = {
  "/persistentvolumes": rulesFor(PERSISTENT_VOLUME),
  "/persistentvolumeclaims": rulesFor(PERSISTENT_VOLUME_CLAIM),
  "policy/poddisruptionbudgets": rulesFor(POD_DISRUPTION_BUDGET),
  "autoscaling/horizontalpodautoscalers": rulesFor(HORIZONTAL_POD_AUTOSCALER),
  "networking.k8s.io/ingresses": rulesFor(INGRESS),
  "networking.k8s.io/ingressclasses": rulesFor(INGRESS_CLASS),
  "networking.k8s.io/networkpolicies": rulesFor(NETWORK_POLICY),
  "storage.k8s.io/storageclasses": rulesFor(STORAGE_CLASS),
  "apiextensions.k8s.io/customresourcedefinitions": rulesFor(CUSTOM_RESOURCE_DEFINITION),
  "apiregistration.k8s.io/apiservices": rulesFor(API_SERVICE),
};

import type { StatefulSet } from "../../api/generated/types/apps-v1.ts";
import type { LeaseSpec } from "../../api/generated/types/coordination-v1.ts";
import type {
  NodeStatus,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimStatus,
  PersistentVolumeSpec,
  PodSpec,
} from "../../api/generated/types/core-v1.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
import type { Strategy } from "./strategy.ts";

type Holder = object | undefined;

/** Lets a field go, unless the object had it before. */
type Drop = (object: KubeObject, old: KubeObject | undefined) => void;

/** A field of pods that Kubernetes 1.32 knows and leaves off, and the places where it stands. */
interface PodField {
  name: string;
  holders(spec: Partial<PodSpec>): readonly Holder[];
}

/**
 * What nothing here acts on: kept, it would be believed in. What is off upstream and works here
 * (volumes of images, resizing, user namespaces) is not among them.
 */
const POD_FIELDS: readonly PodField[] = [
  { name: "resources", holders: (spec) => [spec] },
  { name: "resourceClaims", holders: (spec) => [spec] },
  { name: "claims", holders: (spec) => containersOf(spec).map(({ resources }) => resources) },
  { name: "supplementalGroupsPolicy", holders: ({ securityContext }) => [securityContext] },
  { name: "seLinuxChangePolicy", holders: ({ securityContext }) => [securityContext] },
  {
    name: "clusterTrustBundle",
    holders: ({ volumes = [] }) => volumes.flatMap(({ projected }) => projected?.sources ?? []),
  },
];

function containersOf(spec: Partial<PodSpec>) {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec;
  if (initContainers.length + ephemeralContainers.length === 0) return containers;
  return [...containers, ...initContainers, ...ephemeralContainers];
}

function has(holder: Holder, name: string): boolean {
  return holder !== undefined && name in holder;
}

function drop(holder: Holder, name: string): void {
  if (holder && name in holder) delete (holder as Record<string, unknown>)[name];
}

function dropOfPods(spec: Partial<PodSpec>, old: Partial<PodSpec> | undefined): void {
  for (const { name, holders } of POD_FIELDS) {
    if (old && holders(old).some((holder) => has(holder, name))) continue;
    for (const holder of holders(spec)) drop(holder, name);
  }
}

/** The spec of the pods that an object describes. */
function podSpecAt(object: KubeObject, path: readonly string[]): Partial<PodSpec> {
  return path.reduce<Record<string, unknown>>(fieldOf, object);
}

function ofPodsAt(...path: readonly string[]): Drop {
  return (object, old) =>
    dropOfPods(podSpecAt(object, path), old ? podSpecAt(old, path) : undefined);
}

const ofTemplate = ofPodsAt("spec", "template", "spec");

/** StatefulSets are updated one pod at a time, until `MaxUnavailableStatefulSet` is on. */
const ofStatefulSet: Drop = (object, old) => {
  ofTemplate(object, old);
  const rollingOf = (set: KubeObject | undefined) =>
    (set as StatefulSet | undefined)?.spec?.updateStrategy?.rollingUpdate;
  if (!has(rollingOf(old), "maxUnavailable")) drop(rollingOf(object), "maxUnavailable");
};

const ofClaim: Drop = (object, old) => {
  const spec = fieldOf(object, "spec") as PersistentVolumeClaimSpec;
  const before = old && (fieldOf(old, "spec") as PersistentVolumeClaimSpec);
  if (!has(before, "volumeAttributesClassName")) drop(spec, "volumeAttributesClassName");
  if (spec.dataSourceRef?.namespace && !before?.dataSourceRef) drop(spec, "dataSourceRef");
};

/** Drops fields of a part of the object, each unless it was there before. */
function ofFields<T>(part: "spec" | "status", ...names: readonly (keyof T & string)[]): Drop {
  return (object, old) => {
    const before = old && fieldOf(old, part);
    for (const name of names) if (!has(before, name)) drop(fieldOf(object, part), name);
  };
}

/** By "group/plural". */
const DROPS: Readonly<Record<string, Drop>> = {
  "/persistentvolumeclaims": ofClaim,
  "/persistentvolumes": ofFields<PersistentVolumeSpec>("spec", "volumeAttributesClassName"),
  "/pods": ofPodsAt("spec"),
  "/podtemplates": ofPodsAt("template", "spec"),
  "/replicationcontrollers": ofTemplate,
  "apps/daemonsets": ofTemplate,
  "apps/deployments": ofTemplate,
  "apps/replicasets": ofTemplate,
  "apps/statefulsets": ofStatefulSet,
  "batch/cronjobs": ofPodsAt("spec", "jobTemplate", "spec", "template", "spec"),
  "batch/jobs": ofTemplate,
  "coordination.k8s.io/leases": ofFields<LeaseSpec>("spec", "preferredHolder", "strategy"),
};

/** What is dropped from a status that comes in through its own endpoint, by "group/plural". */
const STATUS_DROPS: Readonly<Record<string, Drop>> = {
  "/nodes": ofFields<NodeStatus>("status", "config", "features"),
  "/persistentvolumeclaims": ofFields<PersistentVolumeClaimStatus>(
    "status",
    "currentVolumeAttributesClassName",
    "modifyVolumeStatus",
  ),
};

/** The same rules, with fields whose features are off in Kubernetes 1.32 dropped as it does. */
export function withoutDisabledFields(resource: string, strategy: Strategy): Strategy {
  return withoutDisabledStatus(resource, withoutDisabledSpec(resource, strategy));
}

function withoutDisabledStatus(resource: string, strategy: Strategy): Strategy {
  const dropFrom = Object.hasOwn(STATUS_DROPS, resource) ? STATUS_DROPS[resource] : undefined;
  if (!dropFrom) return strategy;
  const { prepareCreate, prepareStatus } = strategy;
  return {
    ...strategy,
    prepareCreate: (object, context) => {
      if (strategy.keepsStatusOnCreate) dropFrom(object, undefined);
      prepareCreate?.(object, context);
    },
    prepareStatus: (object, old, context) => {
      dropFrom(object, old);
      prepareStatus?.(object, old, context);
    },
  };
}

function withoutDisabledSpec(resource: string, strategy: Strategy): Strategy {
  const dropFrom = Object.hasOwn(DROPS, resource) ? DROPS[resource] : undefined;
  if (!dropFrom) return strategy;
  const { prepareCreate, prepareUpdate } = strategy;
  return {
    ...strategy,
    prepareCreate: (object, context) => {
      dropFrom(object, undefined);
      prepareCreate?.(object, context);
    },
    prepareUpdate: (object, old, context) => {
      dropFrom(object, old);
      prepareUpdate?.(object, old, context);
    },
  };
}

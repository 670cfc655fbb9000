import { deepEqual } from "../../lib/deep-equal.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";

/** How an older version says what the current one says; both give new objects. */
export interface LegacyShape {
  toLegacy(object: KubeObject): KubeObject;
  toCurrent(object: KubeObject): KubeObject;
}

/** Of versions that differ in their name only. */
export const SAME_SHAPE: LegacyShape = {
  toLegacy: (object) => object,
  toCurrent: (object) => object,
};

type Selector = Record<string, unknown>;

const BUDGET_LABEL = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";
const NOTHING = {};
const ALL_OF_OLD = { matchExpressions: [{ key: BUDGET_LABEL, operator: "DoesNotExist" }] };
const NONE_OF_NOW = { matchExpressions: [{ key: BUDGET_LABEL, operator: "Exists" }] };

function withSelector(
  object: KubeObject,
  rows: readonly (readonly [from: Selector, to: Selector])[],
): KubeObject {
  const spec = fieldOf(object, "spec");
  const row = rows.find(([from]) => deepEqual(from, spec["selector"]));
  return row ? { ...object, spec: { ...spec, selector: row[1] } } : object;
}

/** An empty selector selected no pod in v1beta1, and selects all of them in v1. */
const BUDGETS: LegacyShape = {
  toLegacy: (object) =>
    withSelector(object, [
      [NOTHING, ALL_OF_OLD],
      [NONE_OF_NOW, NOTHING],
    ]),
  toCurrent: (object) =>
    withSelector(object, [
      [NOTHING, NONE_OF_NOW],
      [ALL_OF_OLD, NOTHING],
    ]),
};

const HOST = "kubernetes.io/hostname";
const ZONE = "topology.kubernetes.io/zone";
type Endpoint = Record<string, unknown>;

function withEndpoints(object: KubeObject, change: (endpoint: Endpoint) => Endpoint): KubeObject {
  const { endpoints } = object;
  return Array.isArray(endpoints)
    ? { ...object, endpoints: (endpoints as Endpoint[]).map(change) }
    : object;
}

/** Node and zone of an endpoint were labels among others in v1beta1. */
const SLICES: LegacyShape = {
  toLegacy: (object) =>
    withEndpoints(object, ({ zone, deprecatedTopology, ...endpoint }) => {
      const topology = {
        ...(deprecatedTopology as Record<string, string> | undefined),
        ...(endpoint["nodeName"] ? { [HOST]: endpoint["nodeName"] } : {}),
        ...(zone ? { [ZONE]: zone } : {}),
      };
      return Object.keys(topology).length > 0 ? { ...endpoint, topology } : endpoint;
    }),
  toCurrent: (object) =>
    withEndpoints(object, ({ topology, ...endpoint }) => {
      const labels = (topology ?? {}) as Record<string, string>;
      const { [HOST]: host, [ZONE]: zone, ...deprecatedTopology } = labels;
      const hasMore = Object.keys(deprecatedTopology).length > 0;
      return {
        ...endpoint,
        ...(host && !endpoint["nodeName"] ? { nodeName: host } : {}),
        ...(zone ? { zone } : {}),
        ...(hasMore ? { deprecatedTopology } : {}),
      };
    }),
};

/** By "group/version/plural"; what is not here has the same shape. */
export const LEGACY_SHAPES: Readonly<Record<string, LegacyShape>> = {
  "policy/v1beta1/poddisruptionbudgets": BUDGETS,
  "discovery.k8s.io/v1beta1/endpointslices": SLICES,
};

import { ADMISSION_DEFAULTS } from "../defaults/admission.ts";
import { APPS_DEFAULTS } from "../defaults/apps.ts";
import { AUTOSCALING_V1_DEFAULTS, AUTOSCALING_V2_DEFAULTS } from "../defaults/autoscaling.ts";
import { BATCH_DEFAULTS } from "../defaults/batch.ts";
import { CORE_DEFAULTS } from "../defaults/core.ts";
import { type Defaulter, type Defaulters, defaulter } from "../defaults/defaulter.ts";
import { API_EXTENSIONS_DEFAULTS, API_REGISTRATION_DEFAULTS } from "../defaults/extensions.ts";
import { FLOW_CONTROL_DEFAULTS, SCHEDULING_DEFAULTS } from "../defaults/flowcontrol.ts";
import { DISCOVERY_DEFAULTS, NETWORKING_DEFAULTS } from "../defaults/networking.ts";
import { RBAC_DEFAULTS } from "../defaults/rbac.ts";
import { STORAGE_DEFAULTS } from "../defaults/storage.ts";
import type { TokenRequest } from "../generated/types/authentication-v1.ts";
import type { GroupVersionKind } from "./model.ts";

const TOKEN_SECONDS = 3_600;

const AUTHENTICATION_DEFAULTS: Defaulters = {
  TokenRequest: defaulter<TokenRequest>(({ spec }) => {
    if (spec) spec.expirationSeconds ??= TOKEN_SECONDS;
  }),
};

/** By "group/version". */
const DEFAULTS: ReadonlyMap<string, Defaulters> = new Map([
  ["/v1", CORE_DEFAULTS],
  ["admissionregistration.k8s.io/v1", ADMISSION_DEFAULTS],
  ["apiextensions.k8s.io/v1", API_EXTENSIONS_DEFAULTS],
  ["apiregistration.k8s.io/v1", API_REGISTRATION_DEFAULTS],
  ["apps/v1", APPS_DEFAULTS],
  ["authentication.k8s.io/v1", AUTHENTICATION_DEFAULTS],
  ["autoscaling/v1", AUTOSCALING_V1_DEFAULTS],
  ["autoscaling/v2", AUTOSCALING_V2_DEFAULTS],
  ["batch/v1", BATCH_DEFAULTS],
  ["discovery.k8s.io/v1", DISCOVERY_DEFAULTS],
  ["flowcontrol.apiserver.k8s.io/v1", FLOW_CONTROL_DEFAULTS],
  ["networking.k8s.io/v1", NETWORKING_DEFAULTS],
  ["rbac.authorization.k8s.io/v1", RBAC_DEFAULTS],
  ["scheduling.k8s.io/v1", SCHEDULING_DEFAULTS],
  ["storage.k8s.io/v1", STORAGE_DEFAULTS],
]);

/**
 * Fills in what the author of a built-in object left out. Changes the object, which must be
 * decoded and the caller's own; a second call changes nothing. Kinds without defaults pass.
 */
export function applyDefaults(gvk: GroupVersionKind, object: object): void {
  defaulterOf(gvk)?.(object);
}

/** `applyDefaults` for one kind; `undefined` when nothing is filled in in its objects. */
export function defaulterOf({ group, version, kind }: GroupVersionKind): Defaulter | undefined {
  const defaulters = DEFAULTS.get(`${group}/${version}`);
  return defaulters && Object.hasOwn(defaulters, kind) ? defaulters[kind] : undefined;
}

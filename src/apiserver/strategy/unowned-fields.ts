import { type FieldSet, fieldSetOf, unionOf } from "../../api/apply/field-set.ts";
import { UNMANAGED_FIELDS } from "../../api/apply/managed-fields.ts";

/** Of all kinds nobody owns what the server sets; here also what an endpoint leaves as it is. */
function besides(...paths: readonly (readonly string[])[]): FieldSet {
  return unionOf(UNMANAGED_FIELDS, fieldSetOf(...paths));
}

const ALL_BUT_STATUS: FieldSet = fieldSetOf(
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ["f:spec"],
);

/** Where a status comes in with no metadata at all. */
const STATUS_ONLY: Readonly<Record<string, FieldSet>> = { status: ALL_BUT_STATUS };

/** What nobody owns by subresource, of those kinds that differ from all others ("group/plural"). */
const UNOWNED: Readonly<Record<string, Readonly<Record<string, FieldSet>>>> = {
  "/pods": {
    status: besides(
      ["f:spec"],
      ["f:metadata", "f:deletionTimestamp"],
      ["f:metadata", "f:ownerReferences"],
    ),
  },
  "admissionregistration.k8s.io/validatingadmissionpolicies": STATUS_ONLY,
  "apiextensions.k8s.io/customresourcedefinitions": STATUS_ONLY,
  "apiregistration.k8s.io/apiservices": STATUS_ONLY,
  "apps/deployments": { status: besides(["f:spec"], ["f:metadata", "f:labels"]) },
  "certificates.k8s.io/certificatesigningrequests": {
    "": besides(["f:spec"], ["f:status"]),
    status: besides(["f:spec"], ["f:status", "f:conditions"]),
    approval: besides(["f:spec"], ["f:status", "f:certificate"]),
  },
  "flowcontrol.apiserver.k8s.io/flowschemas": STATUS_ONLY,
  "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": STATUS_ONLY,
  "storage.k8s.io/volumeattachments": STATUS_ONLY,
};

/** Those of a built-in resource. */
export function unownedOf(key: string): Readonly<Record<string, FieldSet>> | undefined {
  return Object.hasOwn(UNOWNED, key) ? UNOWNED[key] : undefined;
}

/** Those of custom resources. */
export const UNOWNED_OF_CUSTOM: Readonly<Record<string, FieldSet>> = STATUS_ONLY;

import assert from "node:assert/strict";
import { test } from "node:test";
import { BUILT_IN_RESOURCES } from "../../api/generated/resources.ts";
import type { Resource } from "../../api/resource.ts";
import { builtInStrategy } from "./built-in-strategies.ts";
import type { Strategy } from "./strategy.ts";

/** "plural.group" of the kinds whose rules are so. */
function kindsWhere(holds: (strategy: Strategy) => boolean): string[] {
  const nameOf = ({ plural, group }: Resource) => (group ? `${plural}.${group}` : plural);
  const names = BUILT_IN_RESOURCES.filter((resource) => holds(builtInStrategy(resource)));
  return [...new Set(names.map(nameOf))].sort();
}

test("a PUT must name a version for these kinds, and for no others", () => {
  assert.deepEqual(
    kindsWhere(({ unconditionalUpdate }) => !unconditionalUpdate),
    [
      "apiservices.apiregistration.k8s.io",
      "csidrivers.storage.k8s.io",
      "csinodes.storage.k8s.io",
      "csistoragecapacities.storage.k8s.io",
      "customresourcedefinitions.apiextensions.k8s.io",
      "leases.coordination.k8s.io",
      "mutatingwebhookconfigurations.admissionregistration.k8s.io",
      "poddisruptionbudgets.policy",
      "runtimeclasses.node.k8s.io",
      "validatingadmissionpolicies.admissionregistration.k8s.io",
      "validatingadmissionpolicybindings.admissionregistration.k8s.io",
      "validatingwebhookconfigurations.admissionregistration.k8s.io",
      "volumeattachments.storage.k8s.io",
    ],
  );
});

test("a PUT makes an object of these kinds, and of no others", () => {
  assert.deepEqual(
    kindsWhere(({ createOnUpdate }) => createOnUpdate),
    [
      "clusterrolebindings.rbac.authorization.k8s.io",
      "clusterroles.rbac.authorization.k8s.io",
      "endpoints",
      "events",
      "events.events.k8s.io",
      "leases.coordination.k8s.io",
      "limitranges",
      "rolebindings.rbac.authorization.k8s.io",
      "roles.rbac.authorization.k8s.io",
      "runtimeclasses.node.k8s.io",
      "services",
    ],
  );
});

test("pods of Jobs and ReplicationControllers stay when nobody says otherwise", () => {
  assert.deepEqual(
    kindsWhere(({ propagation }) => propagation === "Orphan"),
    ["jobs.batch", "replicationcontrollers"],
  );
});

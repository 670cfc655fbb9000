import { deepEqual } from "../../../lib/deep-equal.ts";
import type { StatefulSet } from "../../generated/types/apps-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateLongRunning } from "../workload.ts";

export const STATEFUL_SET: KindRules<StatefulSet> = {
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    validateLongRunning(errors, { kind: "StatefulSet", ...spec });
    for (const name of ["replicas", "minReadySeconds", "revisionHistoryLimit"] as const) {
      errors.nonNegative(`spec.${name}`, spec[name]);
    }
    const policies = ["OrderedReady", "Parallel"];
    errors.oneOf("spec.podManagementPolicy", spec.podManagementPolicy, policies);
    const { type, rollingUpdate } = spec.updateStrategy ?? {};
    errors.oneOf("spec.updateStrategy.type", type, ["OnDelete", "RollingUpdate"]);
    errors.nonNegative("spec.updateStrategy.rollingUpdate.partition", rollingUpdate?.partition);
    errors.nonNegative("spec.ordinals.start", spec.ordinals?.start);
  },
  validateUpdate(errors, { spec }, old) {
    if (!spec || !old.spec) return;
    const { selector, serviceName, podManagementPolicy, volumeClaimTemplates } = spec;
    const before = old.spec;
    const now = { selector, serviceName, podManagementPolicy, volumeClaimTemplates };
    const same = {
      selector: before.selector,
      serviceName: before.serviceName,
      podManagementPolicy: before.podManagementPolicy,
      volumeClaimTemplates: before.volumeClaimTemplates,
    };
    if (deepEqual(now, same)) return;
    errors.forbidden(
      "spec",
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " +
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and " +
        "'minReadySeconds' are forbidden",
    );
  },
};

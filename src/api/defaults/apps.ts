import type {
  DaemonSet,
  DaemonSetSpec,
  Deployment,
  DeploymentSpec,
  ReplicaSet,
  StatefulSet,
  StatefulSetSpec,
} from "../generated/types/apps-v1.ts";
import { defaultClaim } from "./core.ts";
import { type Defaulters, defaulter } from "./defaulter.ts";
import { defaultPodTemplate } from "./pod-spec.ts";

/** The annotation that counts how often the template of a DaemonSet changed. */
export const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

const REVISIONS = 10;
const PROGRESS_SECONDS = 600;

/** Defaults of apps/v1. */
export const APPS_DEFAULTS: Defaulters = {
  DaemonSet: defaulter<DaemonSet>((set) => {
    ((set.metadata ??= {}).annotations ??= {})[TEMPLATE_GENERATION] ??= "0";
    if (set.spec) defaultDaemonSet(set.spec);
  }),
  Deployment: defaulter<Deployment>(({ spec }) => {
    if (spec) defaultDeployment(spec);
  }),
  ReplicaSet: defaulter<ReplicaSet>(({ spec }) => {
    if (!spec) return;
    spec.replicas ??= 1;
    defaultPodTemplate((spec.template ??= {}));
  }),
  StatefulSet: defaulter<StatefulSet>(({ spec }) => {
    if (spec) defaultStatefulSet(spec);
  }),
};

function defaultDeployment(spec: DeploymentSpec): void {
  spec.replicas ??= 1;
  const strategy = (spec.strategy ??= {});
  strategy.type ??= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    const rolling = (strategy.rollingUpdate ??= {});
    rolling.maxUnavailable ??= "25%";
    rolling.maxSurge ??= "25%";
  }
  spec.revisionHistoryLimit ??= REVISIONS;
  spec.progressDeadlineSeconds ??= PROGRESS_SECONDS;
  defaultPodTemplate((spec.template ??= {}));
}

function defaultDaemonSet(spec: DaemonSetSpec): void {
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ??= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    const rolling = (strategy.rollingUpdate ??= {});
    rolling.maxUnavailable ??= 1;
    rolling.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= REVISIONS;
  defaultPodTemplate((spec.template ??= {}));
}

function defaultStatefulSet(spec: StatefulSetSpec): void {
  spec.podManagementPolicy ??= "OrderedReady";
  const strategy = (spec.updateStrategy ??= {});
  if (!strategy.type) {
    strategy.type = "RollingUpdate";
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === "RollingUpdate" && strategy.rollingUpdate) {
    strategy.rollingUpdate.partition ??= 0;
  }
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  retention.whenDeleted ??= "Retain";
  retention.whenScaled ??= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= REVISIONS;
  for (const claim of spec.volumeClaimTemplates ?? []) {
    // Whatever they are called, they are claims.
    claim.apiVersion = "v1";
    claim.kind = "PersistentVolumeClaim";
    defaultClaim(claim);
  }
  defaultPodTemplate((spec.template ??= {}));
}

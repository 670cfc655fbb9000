import type { Deployment, ReplicaSet } from "../../api/generated/types/apps-v1.ts";
import { rolloutLimits, wantedReplicas } from "./rollout-limits.ts";

export const REVISION = "deployment.kubernetes.io/revision";
export const REVISION_HISTORY = "deployment.kubernetes.io/revision-history";
export const DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas";
export const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas";

/** Annotations of a deployment that say nothing about the set's template. */
const NOT_INHERITED: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);

type Annotations = Record<string, string>;

/** The revision of a set, an int64; 0 when it has none yet. */
export function revisionOf(set: ReplicaSet): bigint {
  return parseRevision(set.metadata?.annotations?.[REVISION]);
}

function parseRevision(text = ""): bigint {
  return /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
}

/** What the newest set records: its revision, the revisions it was before, the wanted size. */
export function newSetAnnotations(
  deployment: Deployment,
  at: { existing: Annotations | undefined; revision: bigint },
): Annotations {
  const next: Annotations = { ...at.existing };
  for (const [key, value] of Object.entries(deployment.metadata?.annotations ?? {})) {
    if (!NOT_INHERITED.has(key)) next[key] = value;
  }
  const before = at.existing?.[REVISION];
  if (parseRevision(before) < at.revision) {
    next[REVISION] = String(at.revision);
    if (before) {
      const history = next[REVISION_HISTORY];
      next[REVISION_HISTORY] = history ? `${history},${before}` : before;
    }
  }
  return next;
}

/** What every scaled set records, so that a later change of size can be told and shared out. */
export function sizeAnnotations(deployment: Deployment): Annotations {
  const wanted = wantedReplicas(deployment);
  return {
    [DESIRED_REPLICAS]: String(wanted),
    [MAX_REPLICAS]: String(wanted + rolloutLimits(deployment).surge),
  };
}

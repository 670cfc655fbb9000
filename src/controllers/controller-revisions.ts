import { isAlreadyExists, isNotFound } from "../api/errors.ts";
import { CONTROLLER_REVISIONS } from "../api/generated/resources.ts";
import type { ControllerRevision } from "../api/generated/types/apps-v1.ts";
import type { Container, PodSpec, PodTemplateSpec } from "../api/generated/types/core-v1.ts";
import type { OwnerReference } from "../api/generated/types/meta-v1.ts";
import type { Client } from "../client/client.ts";
import { jsonEqual } from "./json-equal.ts";
import { refOf } from "./ownership.ts";
import { templateHash } from "./template-hash.ts";

export const REVISION_HASH = "controller-revision-hash";

/** Where a revision itself keeps its hash: each kind of upstream's has its own place. */
function hashLabelOf({ kind }: OwnerReference): string {
  return kind === "DaemonSet" ? REVISION_HASH : "controller.kubernetes.io/hash";
}

/** Writes that keep the history of a template, and the revision that the template is now. */
export interface RevisionPlan {
  /** Newest last; `update` is among them. */
  history: ControllerRevision[];
  update: ControllerRevision;
  create: ControllerRevision | undefined;
  /** The update revision, moved to the end of the history (an undo). */
  renumber: ControllerRevision | undefined;
}

/**
 * The patch that kubectl applies to go back to a template. Clients find the current revision by
 * comparing these bytes with their own encoding of the template: keys are in order, and what the
 * types of Go always write is there.
 */
function revisionData(template: PodTemplateSpec = {}): object {
  const { metadata, spec } = template;
  const written = {
    ...template,
    $patch: "replace",
    metadata: { creationTimestamp: null, ...metadata },
    ...(spec ? { spec: withResources(spec) } : {}),
  };
  return sortKeys({ spec: { template: written } }) as object;
}

function withResources(spec: PodSpec): PodSpec {
  const { containers, initContainers } = spec;
  const filled = (list: readonly Container[]) =>
    list.map((container) => ({ resources: {}, ...container }));
  return {
    ...spec,
    containers: filled(containers),
    ...(initContainers ? { initContainers: filled(initContainers) } : {}),
  };
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sortKeys(each)]));
}

/** Finds the template among the revisions, or adds it. */
export function planRevisions(
  revisions: readonly ControllerRevision[],
  of: {
    template: PodTemplateSpec | undefined;
    owner: OwnerReference;
    namespace: string;
    labels: Record<string, string> | undefined;
    collisions: number | undefined;
  },
): RevisionPlan {
  const history = [...revisions].sort((a, b) => a.revision - b.revision);
  const data = revisionData(of.template);
  const last = history.at(-1);
  const next = (last?.revision ?? 0) + 1;
  const equal = history.findLast((one) => jsonEqual(one.data, data));
  if (equal && equal === last) {
    return { history, update: equal, create: undefined, renumber: undefined };
  }
  if (equal) {
    const renumber = { ...equal, revision: next };
    const rest = history.filter((one) => one !== equal);
    return { history: [...rest, renumber], update: renumber, create: undefined, renumber };
  }
  const hash = templateHash(of.template, of.collisions);
  const create: ControllerRevision = {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${of.owner.name}-${hash}`,
      namespace: of.namespace,
      labels: { ...of.labels, [hashLabelOf(of.owner)]: hash },
      ownerReferences: [of.owner],
    },
    data,
    revision: next,
  };
  return { history: [...history, create], update: create, create, renumber: undefined };
}

/** The hash part of a revision. */
export function hashOf(revision: ControllerRevision): string {
  return revision.metadata?.labels?.[REVISION_HASH] ?? "";
}

/** Old revisions beyond the limit that no pod and no status names any more. */
export function surplusRevisions(
  history: readonly ControllerRevision[],
  keep: { limit: number; isLive: (revision: ControllerRevision) => boolean },
): ControllerRevision[] {
  const idle = history.slice(0, -1).filter((revision) => !keep.isLive(revision));
  return idle.slice(0, Math.max(0, idle.length - keep.limit));
}

/** Writes what a plan asks for. A revision that exists already was ours before the cache knew. */
export async function writeRevisions(
  client: Client,
  plan: RevisionPlan,
  isOwnerThere: () => Promise<boolean>,
): Promise<void> {
  const revisions = client.for(CONTROLLER_REVISIONS);
  if (plan.create && (await isOwnerThere())) {
    await revisions.create(plan.create).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
  }
  if (plan.renumber) {
    const { resourceVersion = "" } = plan.renumber.metadata ?? {};
    const patch = { metadata: { resourceVersion }, revision: plan.renumber.revision };
    await revisions.patch(refOf(plan.renumber), patch);
  }
}

/** Deletes revisions; one that is gone already is fine. */
export async function deleteRevisions(
  client: Client,
  surplus: readonly ControllerRevision[],
): Promise<void> {
  for (const revision of surplus) {
    await client
      .for(CONTROLLER_REVISIONS)
      .delete(refOf(revision))
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }
}

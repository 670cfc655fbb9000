import {
  DAEMON_SETS,
  DEPLOYMENTS,
  JOBS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  STATEFUL_SETS,
} from "../../api/generated/resources.ts";
import type { DaemonSet, Deployment, ReplicaSet } from "../../api/generated/types/apps-v1.ts";
import type { Job } from "../../api/generated/types/batch-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Invariant } from "./invariant.ts";

const nameOf = (object: { metadata?: { namespace?: string; name?: string } }) =>
  `${object.metadata?.namespace}/${object.metadata?.name}`;
const uidOf = (object: { metadata?: { uid?: string } }) => object.metadata?.uid ?? "";
const isLive = ({ metadata, status }: Pod) =>
  !metadata?.deletionTimestamp && status?.phase !== "Failed" && status?.phase !== "Succeeded";
const isReady = (pod: Pod) =>
  isLive(pod) &&
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ===
    true;

/** On a Deployment: others than its own controllers take pods away in this scenario. */
export const DISTURBED = "sim.nephos.dev/disturbed";

/** A count or a share of `total`. */
function amount(value: number | string | undefined, total: number, up: boolean): number {
  if (typeof value !== "string") return value ?? 0;
  const exact = (Number.parseFloat(value) * total) / 100;
  return up ? Math.ceil(exact) : Math.floor(exact);
}

/** Between two sizes the larger one bounds from above and the smaller one from below. */
class Sizes {
  readonly #recent = new Map<string, number[]>();

  note(uid: string, size: number): void {
    const sizes = this.#recent.get(uid) ?? [];
    if (sizes.at(-1) !== size) sizes.push(size);
    this.#recent.set(uid, sizes);
  }

  largest(uid: string): number {
    return Math.max(0, ...(this.#recent.get(uid) ?? []));
  }

  smallest(uid: string): number {
    return Math.min(...(this.#recent.get(uid) ?? [0]));
  }
}

const surgeOf = ({ spec }: Deployment, replicas: number) =>
  spec?.strategy?.type === "Recreate"
    ? 0
    : amount(spec?.strategy?.rollingUpdate?.maxSurge ?? "25%", replicas, true);

/** The sum of a Deployment's sets stays within replicas and surge, and no set makes too many. */
export const deploymentWithinSurge: Invariant = {
  name: "a deployment never has more than its surge",
  observe(view, breach) {
    const sizes = new Sizes();
    const deployments = view.follow(DEPLOYMENTS, ({ type, object }) => {
      if (type !== "deleted") sizes.note(uidOf(object), object.spec?.replicas ?? 1);
    });
    const check = (owner: string) => {
      const deployment = deployments.list().find((one) => uidOf(one) === owner);
      if (!deployment || deployment.metadata?.deletionTimestamp) return;
      if (view.hasTravelledBack()) return;
      const replicas = sizes.largest(owner);
      const limit = replicas + surgeOf(deployment, replicas);
      const owned = sets.ownedBy(owner);
      const wanted = owned.reduce((sum, { spec }) => sum + (spec?.replicas ?? 1), 0);
      if (wanted > limit) breach(`${nameOf(deployment)} wants ${wanted} pods of ${limit}`);
    };
    const ownerOf = (object: ReplicaSet | Pod) => object.metadata?.ownerReferences?.[0]?.uid ?? "";
    const sets = view.follow(REPLICA_SETS, ({ type, object }) => {
      if (type !== "deleted") sizes.note(uidOf(object), object.spec?.replicas ?? 1);
      check(ownerOf(object));
    });
    const pods = view.follow(PODS, ({ type, object }) => {
      const owner = ownerOf(object);
      if (type !== "added" || !sets.list().some((set) => uidOf(set) === owner)) return;
      const live = pods.ownedBy(owner).filter(isLive).length;
      const judge = () => {
        const limit = sizes.largest(owner) + view.unknownCreates();
        if (live > limit) breach(`the set of ${nameOf(object)} has ${live} pods of ${limit}`);
      };
      // After the server was away, news of pods may come before those of the size of their set.
      if (view.hasGap()) view.later(judge);
      else judge();
    });
  },
};

/** Once there, a rolling Deployment never takes away more pods than it may. */
export const deploymentStaysAvailable: Invariant = {
  name: "a deployment's own deletions leave enough pods ready",
  observe(view, breach) {
    const deployments = view.follow(DEPLOYMENTS);
    const sizes = new Sizes();
    view.follow(DEPLOYMENTS, ({ type, object }) => {
      if (type !== "deleted") sizes.note(uidOf(object), object.spec?.replicas ?? 1);
    });
    const sets = view.follow(REPLICA_SETS);
    const pods = view.follow(PODS, (change) => {
      if (change.type !== "updated" || !isReady(change.previous)) return;
      if (!change.object.metadata?.deletionTimestamp || view.hasTravelledBack()) return;
      const owner = change.object.metadata.ownerReferences?.[0]?.uid;
      const set = sets.list().find((one) => uidOf(one) === owner);
      const parent = set?.metadata?.ownerReferences?.[0]?.uid;
      const deployment = deployments.list().find((one) => uidOf(one) === parent);
      if (!deployment || deployment.metadata?.deletionTimestamp) return;
      if (deployment.spec?.strategy?.type === "Recreate") return;
      if (deployment.metadata?.annotations?.[DISTURBED] || view.isBlind("replica-set")) return;
      // Scaling in the middle of a rollout shares the loss out without asking who is ready.
      const replicas = sizes.largest(uidOf(deployment));
      if (replicas !== sizes.smallest(uidOf(deployment))) return;
      const spared = deployment.spec?.strategy?.rollingUpdate?.maxUnavailable ?? "25%";
      const needed = replicas - amount(spared, replicas, false);
      const ready = sets.ownedBy(uidOf(deployment)).flatMap((one) => pods.ownedBy(uidOf(one)));
      const left = ready.filter(isReady).length;
      if (left < needed) breach(`${nameOf(deployment)} is left with ${left} of ${needed} ready`);
    });
  },
};

/** An ordered set moves one pod at a time. */
export const statefulSetInOrder: Invariant = {
  name: "a stateful set takes away one pod at a time",
  observe(view, breach) {
    const sets = view.follow(STATEFUL_SETS);
    const pods = view.follow(PODS, ({ type, object }) => {
      const owner = object.metadata?.ownerReferences?.find(({ kind }) => kind === "StatefulSet");
      if (!owner || type === "deleted") return;
      const set = sets.list().find((one) => uidOf(one) === owner.uid);
      if (!set || set.metadata?.deletionTimestamp) return;
      if (set.spec?.podManagementPolicy === "Parallel") return;
      const owned = pods.ownedBy(owner.uid);
      const leaving = owned.filter(({ metadata }) => metadata?.deletionTimestamp).length;
      if (leaving > 1) breach(`${nameOf(set)} loses ${leaving} pods at once`);
      if (type !== "added") return;
      const start = set.spec?.ordinals?.start ?? 0;
      const ordinal = Number(object.metadata?.name?.split("-").at(-1));
      const lower = owned.filter((pod) => {
        const other = Number(pod.metadata?.name?.split("-").at(-1));
        return other >= start && other < ordinal && isReady(pod);
      });
      if (lower.length < ordinal - start) {
        breach(`${nameOf(object)} came before those below it were ready`);
      }
    });
  },
};

/** Every result counts once, and no job runs more at once than it may. */
export const jobCountsOnce: Invariant = {
  name: "a job counts every pod once",
  observe(view, breach) {
    const ended = new Map<string, { succeeded: Set<string>; failed: Set<string> }>();
    const jobs = view.follow(JOBS, ({ type, object }) => {
      if (type !== "deleted") count(object);
    });
    const of = (owner: string) => {
      const known = ended.get(owner) ?? { succeeded: new Set(), failed: new Set() };
      ended.set(owner, known);
      return known;
    };
    const count = (job: Job) => {
      const { succeeded = 0, failed = 0, uncountedTerminatedPods: waiting } = job.status ?? {};
      const real = of(uidOf(job));
      const won = succeeded + (waiting?.succeeded?.length ?? 0);
      const lost = failed + (waiting?.failed?.length ?? 0);
      const check = (found: (text: string) => void) => {
        if (won > real.succeeded.size) found(`${won} of ${real.succeeded.size} successes`);
        if (lost > real.failed.size) found(`${lost} of ${real.failed.size} failures`);
      };
      // After the server was away, news of jobs may come before those of their pods, or of pods
      // that are gone by then never.
      const judge = () => {
        if (!view.hasGap()) check((text) => breach(`${nameOf(job)} counts ${text}`));
      };
      check(() => view.later(judge));
    };
    const pods = view.follow(PODS, ({ type, object }) => {
      const owner = object.metadata?.ownerReferences?.find(({ kind }) => kind === "Job");
      if (!owner) return;
      const { succeeded, failed } = of(owner.uid);
      if (object.status?.phase === "Succeeded") succeeded.add(uidOf(object));
      else if (object.status?.phase === "Failed" || object.metadata?.deletionTimestamp) {
        failed.add(uidOf(object));
      }
      if (type !== "added") return;
      const job = jobs.list().find((one) => uidOf(one) === owner.uid);
      const limit = (job?.spec?.parallelism ?? 1) + view.unknownCreates();
      const live = pods.ownedBy(owner.uid).filter(isLive).length;
      if (job && live > limit) breach(`${nameOf(job)} runs ${live} pods of ${limit}`);
    });
  },
};

/** Two pods of one daemon meet on a node only as surge. */
export const daemonOncePerNode: Invariant = {
  name: "a daemon runs once on every node",
  observe(view, breach) {
    const surgeOfSet = (set: DaemonSet | undefined) =>
      set?.spec?.updateStrategy?.rollingUpdate?.maxSurge ?? 0;
    const surged = new Set<string>();
    const sets = view.follow(DAEMON_SETS, ({ object }) => {
      if (surgeOfSet(object) !== 0) surged.add(uidOf(object));
    });
    const placeOf = (pod: Pod) =>
      pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
        ?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0] ?? pod.spec?.nodeName;
    const pods = view.follow(PODS, ({ type, object }) => {
      const owner = object.metadata?.ownerReferences?.find(({ kind }) => kind === "DaemonSet");
      if (!owner || type !== "added") return;
      const set = sets.list().find((one) => uidOf(one) === owner.uid);
      // What sees changes late still plans by the strategy of before.
      const isSurging = view.isBlind("daemon-set") ? surged.has(owner.uid) : surgeOfSet(set) !== 0;
      const place = placeOf(object);
      const there = pods.ownedBy(owner.uid).filter((pod) => isLive(pod) && placeOf(pod) === place);
      const limit = (isSurging ? 2 : 1) + view.unknownCreates();
      if (set && there.length > limit) {
        breach(`${nameOf(set)} has ${there.length} pods for ${place}`);
      }
    });
  },
};

/** What a budget protects is not evicted. */
const budgetsHold: Invariant = {
  name: "a disruption budget is kept",
  observe(view, breach) {
    const budgets = view.follow(POD_DISRUPTION_BUDGETS);
    const pods = view.follow(PODS, (change) => {
      if (change.type !== "updated" || !isReady(change.previous)) return;
      if (!change.object.metadata?.deletionTimestamp) return;
      const { namespace } = change.object.metadata;
      for (const budget of budgets.list(namespace)) {
        const needed = Number(budget.spec?.minAvailable ?? 0);
        const left = pods.list(namespace).filter(isReady).length;
        if (left < needed) breach(`${nameOf(budget)} is left with ${left} of ${needed} ready`);
      }
    });
  },
};

/** All of them. */
export const WORKLOAD_INVARIANTS: readonly Invariant[] = [
  deploymentWithinSurge,
  deploymentStaysAvailable,
  statefulSetInOrder,
  jobCountsOnce,
  daemonOncePerNode,
  budgetsHold,
];

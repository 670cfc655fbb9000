import {
  CRON_JOBS,
  HORIZONTAL_POD_AUTOSCALERS,
  JOBS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  RESOURCE_QUOTAS,
  SERVICES,
} from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { quantityToMilli } from "../../lib/quantity.ts";
import type { Invariant } from "./invariant.ts";

const nameOf = (object: { metadata?: { namespace?: string; name?: string } }) =>
  [object.metadata?.namespace, object.metadata?.name].filter(Boolean).join("/");
const uidOf = (object: { metadata?: { uid?: string } }) => object.metadata?.uid ?? "";
const hasEnded = ({ status }: Pod) => status?.phase === "Failed" || status?.phase === "Succeeded";
const cpuOf = ({ spec }: Pod) =>
  (spec?.containers ?? []).reduce(
    (sum, { resources }) => sum + quantityToMilli(resources?.requests?.["cpu"] ?? "0"),
    0,
  );

const placedOnce: Invariant = {
  name: "a pod is placed once, where it fits",
  observe(view, breach) {
    const nodes = view.follow(NODES);
    const pods = view.follow(PODS, (change) => {
      const { object } = change;
      const node = object.spec?.nodeName;
      if (change.type === "deleted" || !node) return;
      const before = change.type === "updated" ? change.previous.spec?.nodeName : undefined;
      if (before && before !== node) breach(`${nameOf(object)} went from ${before} to ${node}`);
      if (before) return;
      const room = nodes.get(undefined, node)?.status?.allocatable?.["cpu"];
      const there = pods.list().filter((pod) => pod.spec?.nodeName === node && !hasEnded(pod));
      const used = there.reduce((sum, pod) => sum + cpuOf(pod), 0);
      if (room && used > quantityToMilli(room)) breach(`${node} gives ${used}m of ${room} CPU`);
    });
  },
};

const quotaHolds: Invariant = {
  name: "no more pods than the quota allows",
  observe(view, breach) {
    const quotas = view.follow(RESOURCE_QUOTAS);
    const pods = view.follow(PODS, ({ type, object }) => {
      if (type !== "added") return;
      const namespace = object.metadata?.namespace;
      for (const quota of quotas.list(namespace)) {
        const hard = Number(quota.spec?.hard?.["pods"] ?? Infinity);
        const count = pods.list(namespace).filter((pod) => !hasEnded(pod)).length;
        if (count > hard) breach(`${count} pods where ${nameOf(quota)} allows ${hard}`);
      }
    });
  },
};

const claimsKept: Invariant = {
  name: "a claim in use stays, and a volume serves one claim",
  observe(view, breach) {
    const pods = view.follow(PODS);
    view.follow(PERSISTENT_VOLUME_CLAIMS, ({ type, object }) => {
      if (type !== "deleted") return;
      const users = pods
        .list(object.metadata?.namespace)
        .filter((pod) => pod.spec?.nodeName && !hasEnded(pod))
        .filter(({ spec }) =>
          spec?.volumes?.some(
            ({ persistentVolumeClaim: claim }) => claim?.claimName === object.metadata?.name,
          ),
        );
      if (users[0]) breach(`claim ${nameOf(object)} went while ${nameOf(users[0])} used it`);
    });
    const volumes = view.follow(PERSISTENT_VOLUMES, (change) => {
      const { object } = change;
      if (change.type !== "updated") return;
      const before = change.previous.spec?.claimRef?.uid;
      const now = object.spec?.claimRef?.uid;
      if (before && now && before !== now) breach(`volume ${nameOf(object)} changed its claim`);
    });
    const bound = new Map<string, string>();
    view.follow(PERSISTENT_VOLUME_CLAIMS, ({ object }) => {
      const volume = object.spec?.volumeName;
      if (!volume || object.status?.phase !== "Bound") return;
      const before = bound.get(uidOf(object));
      if (before && before !== volume) breach(`claim ${nameOf(object)} changed its volume`);
      bound.set(uidOf(object), volume);
      const owner = volumes.get(undefined, volume)?.spec?.claimRef?.uid;
      if (owner && owner !== uidOf(object)) breach(`claim ${nameOf(object)} has another's volume`);
    });
  },
};

const cronJobOnTime: Invariant = {
  name: "a cron job starts each run once and, if told so, one at a time",
  observe(view, breach) {
    const crons = view.follow(CRON_JOBS);
    const started = new Map<string, string>();
    const jobs = view.follow(JOBS, ({ type, object }) => {
      const owner = object.metadata?.ownerReferences?.find(({ kind }) => kind === "CronJob");
      if (!owner || type !== "added") return;
      const name = `${owner.uid}/${object.metadata?.name}`;
      const earlier = started.get(name);
      if (earlier && earlier !== uidOf(object)) breach(`run ${nameOf(object)} came twice`);
      started.set(name, uidOf(object));
      const cron = crons.list().find((one) => uidOf(one) === owner.uid);
      if (cron?.spec?.concurrencyPolicy === "Allow") return;
      const open = jobs
        .ownedBy(owner.uid)
        .filter(({ metadata }) => !metadata?.deletionTimestamp)
        .filter(({ status }) => !status?.completionTime);
      if (open.length > 1) breach(`${open.length} runs of ${nameOf(cron ?? object)} at once`);
    });
  },
};

const autoscalerInBounds: Invariant = {
  name: "an autoscaler stays within its bounds",
  observe(view, breach) {
    view.follow(HORIZONTAL_POD_AUTOSCALERS, ({ object }) => {
      const { desiredReplicas } = object.status ?? {};
      const { minReplicas = 1, maxReplicas = Infinity } = object.spec ?? {};
      if (!desiredReplicas) return;
      if (desiredReplicas < minReplicas || desiredReplicas > maxReplicas) {
        breach(`${nameOf(object)} wants ${desiredReplicas}`);
      }
    });
  },
};

const addressesUnique: Invariant = {
  name: "no two services share an address",
  observe(view, breach) {
    const services = view.follow(SERVICES, ({ type, object }) => {
      if (type === "deleted") return;
      const addressOf = (one: typeof object) => one.status?.loadBalancer?.ingress?.[0]?.ip;
      const address = addressOf(object);
      const others = services
        .list()
        .filter((one) => uidOf(one) !== uidOf(object) && address && addressOf(one) === address)
        .filter((one) =>
          one.spec?.ports?.some(({ port }) => object.spec?.ports?.some((p) => p.port === port)),
        );
      if (others[0]) breach(`${nameOf(object)} and ${nameOf(others[0])} share ${address}`);
    });
  },
};

/** What holds whatever workloads run. */
export const CLUSTER_INVARIANTS: readonly Invariant[] = [
  placedOnce,
  quotaHolds,
  claimsKept,
  cronJobOnTime,
  autoscalerInBounds,
  addressesUnique,
];

import { isAlreadyExists, isConflict, isNotFound } from "../../api/errors.ts";
import { PODS } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Change } from "../../client/informer.ts";
import { type BackoffPolicy, backoffDelayMs } from "../../lib/backoff.ts";
import { sleep } from "../../lib/clock.ts";
import { CONFIG_HASH, CONFIG_MIRROR } from "../static-pod/contract.ts";
import { identityOf } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";
import { messageOf } from "./pod-failure.ts";
import type { AgentPodStatus } from "./pod-status.ts";
import { type StatusWriter, statusDifference } from "./status-writer.ts";

const RETRY: BackoffPolicy = { baseMs: 500, maxMs: 30_000 };

/** Shows static pods in the API: one object each, which can be read but changes nothing. */
export interface MirrorPods extends Disposable {
  /** A static pod runs from now on; its status is written to its mirror. */
  show(pod: Pod): StatusWriter;
  /** The API's view of a mirror changed. */
  seen(change: Change<Pod>): void;
}

/** One name in the API. */
interface Mirror {
  /** The static pod that is to be seen there; undefined for none. */
  wanted: Pod | undefined;
  status: AgentPodStatus | undefined;
  found: Pod | undefined;
  /** What was written last, and to which object: a server may store it otherwise. */
  told: { status: AgentPodStatus; uid: string } | undefined;
  /** "again": something happened that the work under way may not have seen. */
  working: "no" | "yes" | "again";
}

/** Each mirror is worked on by itself, one request at a time, until it is as it has to be. */
export function createMirrorPods(parts: PodParts): MirrorPods {
  const { client, clock, logger } = parts;
  const mirrors = new Map<string, Mirror>();
  const stop = new AbortController();
  const pods = client.for(PODS);

  const mirrorOf = (pod: Pod): Mirror => {
    const { namespace, name } = identityOf(pod);
    const key = `${namespace}/${name}`;
    const mirror = mirrors.get(key) ?? {
      wanted: undefined,
      status: undefined,
      found: undefined,
      told: undefined,
      working: "no",
    };
    mirrors.set(key, mirror);
    return mirror;
  };

  /** Does one thing; the watch tells what came of it. */
  const step = async (mirror: Mirror): Promise<void> => {
    const { wanted, found, status } = mirror;
    const hash = (pod: Pod | undefined, name: string) => pod?.metadata?.annotations?.[name];
    const stale =
      found &&
      (!wanted ||
        found.metadata?.deletionTimestamp !== undefined ||
        hash(found, CONFIG_MIRROR) !== hash(wanted, CONFIG_HASH));
    if (stale) {
      const { uid, ...ref } = identityOf(found);
      return await pods.delete(ref, { gracePeriodSeconds: 0, preconditions: { uid } });
    }
    if (wanted && !found) return void (await pods.create(mirrorFor(wanted, parts)));
    const difference = found && status && statusDifference(found.status ?? {}, status);
    if (!found || !difference) return;
    const { uid, ...ref } = identityOf(found);
    if (mirror.told?.status === status && mirror.told.uid === uid) return;
    const options = { type: "strategic", subresource: "status" } as const;
    await pods.patch(ref, { metadata: { uid }, status: difference }, options);
    mirror.told = { status, uid };
  };

  const workOn = async (mirror: Mirror) => {
    for (let failures = 0; !stop.signal.aborted; ) {
      mirror.working = "yes";
      try {
        await step(mirror);
        failures = 0;
        if ((mirror.working as Mirror["working"]) !== "again") break;
      } catch (error) {
        const raced = isNotFound(error) || isConflict(error) || isAlreadyExists(error);
        if (!raced) logger.warn("cannot show a static pod", { error: messageOf(error) });
        failures++;
        await sleep(clock, backoffDelayMs(RETRY, failures), stop.signal);
      }
    }
    mirror.working = "no";
  };

  const work = (mirror: Mirror) => {
    if (mirror.working === "no") void workOn(mirror);
    else mirror.working = "again";
  };

  return {
    show(pod) {
      const mirror = mirrorOf(pod);
      mirror.wanted = pod;
      mirror.status = undefined;
      work(mirror);
      return {
        publish(of, status) {
          if (mirror.wanted?.metadata?.uid !== of.metadata?.uid) return;
          mirror.status = status;
          work(mirror);
        },
        settled: () => Promise.resolve(),
        [Symbol.dispose]() {
          if (mirror.wanted !== pod || stop.signal.aborted) return;
          mirror.wanted = undefined;
          work(mirror);
        },
      };
    },
    seen({ type, object }) {
      const mirror = mirrorOf(object);
      if (type === "deleted" && mirror.found?.metadata?.uid !== object.metadata?.uid) return;
      mirror.found = type === "deleted" ? undefined : object;
      work(mirror);
    },
    [Symbol.dispose]: () => stop.abort(),
  };
}

/** What the API gets of a static pod; it goes with its node. */
function mirrorFor(pod: Pod, { admission }: PodParts): Pod {
  const { name, namespace, labels, annotations } = pod.metadata ?? {};
  const hash = annotations?.[CONFIG_HASH] ?? "";
  const node = admission.node()?.metadata;
  const owner = { apiVersion: "v1", kind: "Node", name: node?.name ?? "", uid: node?.uid ?? "" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...(name ? { name } : {}),
      ...(namespace ? { namespace } : {}),
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, [CONFIG_MIRROR]: hash },
      ...(node?.uid ? { ownerReferences: [{ ...owner, controller: true }] } : {}),
    },
    ...(pod.spec ? { spec: pod.spec } : {}),
  };
}

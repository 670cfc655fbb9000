import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../api/generated/resources.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../lib/clock.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import { type AssumedClaim, SELECTED_NODE, type VolumeCatalog } from "./volume-catalog.ts";

/** What binding volumes works with. */
export interface BindVolumesDeps {
  client: Client;
  clock: Clock;
  catalog: VolumeCatalog;
}

/** The volumes of a pod did not become ready for it. */
export class VolumesNotBoundError extends Error {
  override readonly name = "VolumesNotBoundError";
}

/**
 * Writes the promises down, then waits until the volume controller or a provisioner fulfilled
 * them. @throws VolumesNotBoundError after the time limit, or when a promise was taken back
 */
export async function bindVolumes(
  pod: PodRecord,
  of: BindVolumesDeps & { promises: ReadonlyMap<string, AssumedClaim>; timeoutMs: number },
): Promise<void> {
  for (const [key, promise] of of.promises) await writePromise(key, { ...of, promise });
  await untilBound(pod, of);
}

async function writePromise(
  key: string,
  of: BindVolumesDeps & { promise: AssumedClaim },
): Promise<void> {
  const { client, catalog, promise } = of;
  const claim = catalog.claims.get(key);
  const { namespace = "", name = "", uid = "", resourceVersion } = claim?.metadata ?? {};
  if (promise.volume === undefined) {
    const annotations = { [SELECTED_NODE]: promise.node };
    await client
      .for(PERSISTENT_VOLUME_CLAIMS)
      .patch({ namespace, name }, { metadata: { annotations, resourceVersion } });
    return;
  }
  const known = catalog.volumes.get(promise.volume)?.metadata?.resourceVersion;
  const claimRef = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    namespace,
    name,
    uid,
    resourceVersion,
  };
  await client.for(PERSISTENT_VOLUMES).patch(
    { name: promise.volume },
    {
      metadata: {
        resourceVersion: known,
        annotations: { "pv.kubernetes.io/bound-by-controller": "yes" },
      },
      spec: { claimRef },
    },
  );
}

function untilBound(
  pod: PodRecord,
  of: BindVolumesDeps & { promises: ReadonlyMap<string, AssumedClaim>; timeoutMs: number },
): Promise<void> {
  const { catalog, clock, promises, timeoutMs } = of;
  return new Promise((resolve, reject) => {
    const finish = (error?: Error) => {
      subscription[Symbol.dispose]();
      timer.cancel();
      if (error) reject(error);
      else resolve();
    };
    const fail = (why: string) =>
      finish(new VolumesNotBoundError(`binding volumes: ${why} (pod ${pod.name})`));
    const check = () => {
      let missing = false;
      for (const [key, promise] of promises) {
        const claim = catalog.claims.get(key);
        if (!claim) return fail(`persistentvolumeclaim "${key}" is gone`);
        const state = catalog.stateOf(claim);
        if (state === "bound") continue;
        missing = true;
        const selected = claim.metadata?.annotations?.[SELECTED_NODE];
        const wasSelected = seen.has(key);
        if (selected === promise.node) seen.add(key);
        // A provisioner that cannot serve the node takes the annotation away.
        else if (promise.volume === undefined && wasSelected) {
          return fail(`provisioning for persistentvolumeclaim "${key}" failed`);
        }
      }
      if (!missing) finish();
    };
    const seen = new Set<string>();
    const subscription = catalog.onChange(check);
    const timer = clock.setTimer(timeoutMs, () => fail("timed out waiting for the condition"));
    check();
  });
}

import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../api/generated/resources.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../lib/clock.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import { type AssumedClaim, SELECTED_NODE, type VolumeCatalog } from "./volume-catalog.ts";
import { type VolumeNode, volumeFitsNode } from "./volume-match.ts";

/** What binding volumes works with. */
export interface BindVolumesDeps {
  client: Client;
  clock: Clock;
  catalog: VolumeCatalog;
}

/** What was promised of the claims of a pod, where, and for how long that is waited for. */
interface Promises extends BindVolumesDeps {
  promises: ReadonlyMap<string, AssumedClaim>;
  /** The node as it was chosen. */
  node: VolumeNode | undefined;
  timeoutMs: number;
}

/** The volumes of a pod did not become ready for it. */
export class VolumesNotBoundError extends Error {
  override readonly name = "VolumesNotBoundError";
}

/**
 * Writes the promises down, then waits until the volume controller or a provisioner fulfilled
 * them. @throws VolumesNotBoundError after the time limit, or when a promise was taken back
 */
export async function bindVolumes(pod: PodRecord, of: Promises): Promise<void> {
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

function untilBound(pod: PodRecord, of: Promises): Promise<void> {
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
    const seen = new Set<string>();
    const check = () => {
      const states = Array.from(promises, ([key, promise]) =>
        progressOf(key, { ...of, promise, seen }),
      );
      const broken = states.find((state) => state !== "kept" && state !== "open");
      if (broken) fail(broken.why);
      else if (states.every((state) => state === "kept")) finish();
    };
    const subscription = catalog.onChange(check);
    const timer = clock.setTimer(timeoutMs, () => fail("timed out waiting for the condition"));
    check();
  });
}

/** How a promise stands: kept, open yet, or broken. `seen` remembers what the cache has shown. */
function progressOf(
  key: string,
  of: Promises & { promise: AssumedClaim; seen: Set<string> },
): "kept" | "open" | { why: string } {
  const { catalog, promise, seen, node } = of;
  const claim = catalog.claims.get(key);
  if (!claim) return { why: `persistentvolumeclaim "${key}" is gone` };
  if (promise.volume !== undefined) {
    const volume = catalog.volumes.get(promise.volume);
    if (!volume) return { why: `persistentvolume "${promise.volume}" is gone` };
    const isOurs = volume.spec?.claimRef?.uid === claim.metadata?.uid;
    if (!isOurs && seen.has(key)) {
      return { why: `persistentvolume "${promise.volume}" was taken from its claim` };
    }
    if (isOurs) seen.add(key);
  }
  if (catalog.stateOf(claim) === "bound") {
    // The claim may be known before the volume that was made for it.
    const volume = catalog.volumes.get(claim.spec?.volumeName ?? "");
    if (!volume) return "open";
    if (!node || volumeFitsNode(volume, node)) return "kept";
    const { name } = volume.metadata ?? {};
    return { why: `pv "${name}" node affinity doesn't match node "${node.name}"` };
  }
  const selected = claim.metadata?.annotations?.[SELECTED_NODE];
  if (selected === promise.node) seen.add(key);
  // A provisioner that cannot serve the node takes the annotation away.
  else if (promise.volume === undefined && seen.has(key)) {
    return { why: `provisioning for persistentvolumeclaim "${key}" failed` };
  }
  return "open";
}

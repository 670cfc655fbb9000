import type { Pod } from "../../api/generated/types/core-v1.ts";
import { formatTime, sleep } from "../../lib/clock.ts";
import type { ImageStore, LocalImage } from "../image/contract.ts";
import { NO_METRICS } from "../metrics/contract.ts";
import { CONFIG_SOURCE } from "../static-pod/contract.ts";
import type { MirrorPods } from "./mirror-pods.ts";
import type { PodParts } from "./pod-context.ts";
import { createPodWorker, type PodWorker, type PodWorkerDeps } from "./pod-worker.ts";

/** Longer than that, its end is not waited for. */
const PATIENCE_MS = 10_000;

/** With what most pods have, so that their code is the one that is compiled. */
function rehearsalPod({ node, clock }: PodParts): Pod {
  const labels = { path: "labels", fieldRef: { fieldPath: "metadata.labels" } };
  const mount = { name: "facts", mountPath: "/facts", readOnly: true };
  const podIp = { fieldRef: { fieldPath: "status.podIP" } };
  return {
    metadata: {
      name: "rehearsal",
      namespace: "default",
      // Another one than that of an earlier agent, which may have died in its own.
      uid: `rehearsal-${clock.now()}`,
      creationTimestamp: formatTime(clock.now()),
      // Nothing of it is in the API, as of a pod of a file.
      annotations: { [CONFIG_SOURCE]: "file" },
      labels: { app: "rehearsal" },
    },
    spec: {
      nodeName: node.name,
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      enableServiceLinks: true,
      containers: [
        {
          name: "main",
          image: "rehearsal",
          imagePullPolicy: "Never",
          env: [{ name: "POD_IP", valueFrom: podIp }],
          resources: { requests: { cpu: "10m", memory: "1Mi" } },
          volumeMounts: [mount, { name: "empty", mountPath: "/empty" }],
        },
      ],
      volumes: [
        { name: "facts", projected: { sources: [{ downwardAPI: { items: [labels] } }] } },
        { name: "empty", emptyDir: {} },
      ],
    },
    status: { qosClass: "Burstable" },
  };
}

/** A pod that is run for nobody. */
export interface Rehearsal {
  readonly worker: PodWorker;
  /** Ends it, if it has not ended. Resolves to whether its container ran, and ended well. */
  end(): Promise<boolean>;
}

/** Begins to run it from an image whose program ends at once; nobody is told of it. */
export function beginRehearsal(deps: PodWorkerDeps, image: LocalImage): Rehearsal {
  const { parts } = deps;
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const { directories } = parts;
  const quiet: PodParts = {
    ...parts,
    directories: { ...directories, logs: directories.logIndex },
    images: onlyImage(parts.images, image),
    events: { record: () => {} },
    metrics: NO_METRICS,
    tracer: undefined,
  };
  const worker = createPodWorker(rehearsalPod(parts), {
    ...deps,
    parts: quiet,
    mirrors: NO_MIRRORS,
    onFinished: finish,
  });
  return {
    worker,
    async end() {
      const late = new AbortController();
      await Promise.race([worker.released, sleep(parts.clock, PATIENCE_MS, late.signal)]);
      const ran = worker.view().status?.phase === "Succeeded";
      worker.markGone();
      await Promise.race([finished, sleep(parts.clock, PATIENCE_MS, late.signal)]);
      late.abort();
      await worker[Symbol.asyncDispose]();
      return ran;
    },
  };
}

function onlyImage(images: ImageStore, image: LocalImage): ImageStore {
  return { ...images, find: () => image, wouldPull: () => false };
}

/** Nobody is shown the pod. */
const NO_MIRRORS: MirrorPods = {
  show: () => ({
    publish: () => {},
    settled: () => Promise.resolve(),
    [Symbol.dispose]: () => {},
  }),
  seen: () => {},
  [Symbol.dispose]: () => {},
};

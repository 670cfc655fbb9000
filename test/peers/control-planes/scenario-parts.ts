import type { Observed, Stage } from "./scenario.ts";

export function container(image = "app:1"): { name: string; image: string } {
  return { name: "app", image };
}

/** A pod template whose pods end at once when they are asked to. */
export function template(
  app: string,
  spec: object = {},
): { metadata: { labels: { app: string } }; spec: object } {
  return {
    metadata: { labels: { app } },
    spec: { terminationGracePeriodSeconds: 0, containers: [container()], ...spec },
  };
}

export function workload(kind: string, name: string, spec: object): object {
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, template: template(name), ...spec },
  };
}

export function isEmpty(list: Observed | undefined): boolean {
  return (list?.["items"] as object[] | undefined)?.length === 0;
}

export function count(object: Observed | undefined, field: string): number {
  return Number(object?.status?.[field] ?? 0);
}

export function seen(object: Observed | undefined): boolean {
  return object !== undefined && count(object, "observedGeneration") === object.metadata.generation;
}

/** Waits until as many pods of a workload are ready, and no others are left. */
export function ready(stage: Stage, path: string, wanted: number): Promise<void> {
  return stage.until(path, (object) => {
    const all = count(object, "replicas") === wanted && count(object, "updatedReplicas") === wanted;
    return seen(object) && all && count(object, "readyReplicas") === wanted;
  });
}

export const WEB = "apps/v1/deployments/web";

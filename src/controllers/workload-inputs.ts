import { CONTROLLER_REVISIONS, PODS } from "../api/generated/resources.ts";
import type { ControllerRevision } from "../api/generated/types/apps-v1.ts";
import type { Pod } from "../api/generated/types/core-v1.ts";
import type { LabelSelector } from "../api/generated/types/meta-v1.ts";
import type { Resource } from "../api/resource.ts";
import { type Input, input } from "../client/controller.ts";
import { ORPHANS, orphanIndex } from "./claims.ts";
import { type ApiObject, controllerOf, refersTo, refOf } from "./ownership.ts";
import { compileSelector } from "./selector.ts";
import type { WriteOverlay } from "./write-overlay.ts";

/** What differs between the workloads that run pods. */
export interface PodsOfOptions<T> {
  /** Learns of the pods that it waits for. */
  overlay: WriteOverlay<Pod>;
  selectorOf(workload: T): LabelSelector | undefined;
  /** Besides that of pods which nobody controls. */
  indexes?: Input<Pod>["indexes"];
}

/** The pods of workloads of one kind, and those that they may adopt. */
export function podsOf<T extends ApiObject>(
  resource: Resource<T>,
  { overlay, selectorOf, indexes }: PodsOfOptions<T>,
): Input<Pod> {
  return input(
    PODS,
    (pod, listers) => {
      const controller = controllerOf(pod);
      const { namespace, labels } = pod.metadata ?? {};
      if (!controller) {
        return listers
          .of(resource)
          .list(namespace)
          .filter((workload) => compileSelector(selectorOf(workload))(labels))
          .map(refOf);
      }
      if (!refersTo(resource, controller)) return [];
      overlay.observe(controller.uid, pod);
      return [{ name: controller.name, namespace }];
    },
    { indexes: { [ORPHANS]: orphanIndex, ...indexes } },
  );
}

/** The revisions of workloads of one kind. */
export function revisionsOf(resource: Resource): Input<ControllerRevision> {
  return input(CONTROLLER_REVISIONS, (revision) => {
    const controller = controllerOf(revision);
    if (!controller || !refersTo(resource, controller)) return [];
    return [{ name: controller.name, namespace: revision.metadata?.namespace }];
  });
}

import type { Container, Pod } from "../../api/generated/types/core-v1.ts";

/** Who a pod is, without the optional fields of its metadata. */
export interface PodIdentity {
  uid: string;
  name: string;
  namespace: string;
}

/** How a container takes part in its pod's life. */
export type ContainerRole = "init" | "sidecar" | "main" | "ephemeral";

/** A container of a pod with its role. */
export interface PodContainer {
  container: Container;
  role: ContainerRole;
}

/** Identity of a stored pod; the API guarantees all three. */
export function identityOf(pod: Pod): PodIdentity {
  const { uid = "", name = "", namespace = "" } = pod.metadata ?? {};
  return { uid, name, namespace };
}

/** What events about the pod name as their object. */
export function referenceTo(pod: Pod): object {
  return { apiVersion: "v1", kind: "Pod", metadata: pod.metadata };
}

/** Every container, in the order in which they start; ephemeral ones last. */
export function containersOf(pod: Pod): PodContainer[] {
  const spec = pod.spec;
  return [
    ...(spec?.initContainers ?? []).map((container) => ({ container, role: initRole(container) })),
    ...(spec?.containers ?? []).map((container) => ({ container, role: "main" as const })),
    ...(spec?.ephemeralContainers ?? []).map((container) => ({
      container: container as Container,
      role: "ephemeral" as const,
    })),
  ];
}

function initRole(container: Container): ContainerRole {
  return container.restartPolicy === "Always" ? "sidecar" : "init";
}

/** The path that events about one container carry. */
export function fieldPathOf({ container, role }: PodContainer): string {
  const list = {
    init: "initContainers",
    sidecar: "initContainers",
    main: "containers",
    ephemeral: "ephemeralContainers",
  }[role];
  return `spec.${list}{${container.name}}`;
}

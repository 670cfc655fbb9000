import type {
  Container,
  EphemeralContainer,
  Pod,
  PodSpec,
} from "../../api/generated/types/core-v1.ts";
import type { AdmissionRequest } from "../contract.ts";

const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** Whether the request is about pods themselves, not a subresource. */
export function isPod({ resource, subresource }: AdmissionRequest): boolean {
  return resource.group === "" && resource.plural === "pods" && !subresource;
}

export function isPodCreate(request: AdmissionRequest): boolean {
  return request.operation === "CREATE" && isPod(request);
}

/** The creation or the update of a pod, not of a part of one. */
export function isPodWrite(request: AdmissionRequest): boolean {
  return (request.operation === "CREATE" || request.operation === "UPDATE") && isPod(request);
}

/** The pod of a request for which `isPod` holds. */
export function podOf(request: AdmissionRequest): Pod & { spec: PodSpec } {
  const pod = request.object as unknown as Pod;
  // What a pod must have is for its rules to say, once the plugins are through.
  pod.spec ??= { containers: [] };
  pod.spec.containers ??= [];
  return pod as Pod & { spec: PodSpec };
}

/** A pod that an agent runs without the API, only shown there. */
export function isMirrorPod(pod: Pod): boolean {
  return pod.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

/** Init, ordinary and ephemeral containers, in this order. */
export function allContainers(spec: PodSpec): (Container | EphemeralContainer)[] {
  return [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
}

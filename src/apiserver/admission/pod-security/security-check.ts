import type {
  Container,
  EphemeralContainer,
  PodSpec,
  SecurityContext,
} from "../../../api/generated/types/core-v1.ts";
import type { ObjectMeta } from "../../../api/generated/types/meta-v1.ts";
import { allContainers } from "../admitted-pod.ts";

/** Why a check refuses a pod. */
export interface Violation {
  reason: string;
  detail: string;
}

/** A pod, and as of which minor version of Kubernetes it is judged. */
export interface JudgedPod {
  metadata: ObjectMeta;
  spec: PodSpec;
  /** 32 for "v1.32". */
  minor: number;
}

/** One rule of the Pod Security Standards; pure. */
export type SecurityCheck = (pod: JudgedPod) => Violation | undefined;

/** A rule that there was not yet before a minor version. */
export function since(minor: number, check: SecurityCheck): SecurityCheck {
  return (pod) => (pod.minor >= minor ? check(pod) : undefined);
}

/** `"a", "b"` */
export function quoteAll(values: Iterable<string>): string {
  return [...values].map((value) => JSON.stringify(value)).join(", ");
}

/** `container "a"` or `containers "a", "b"` */
export function named(noun: string, values: readonly string[]): string {
  return `${plural(noun, values.length)} ${quoteAll(values)}`;
}

export function plural(noun: string, count: number): string {
  return count === 1 ? noun : `${noun}s`;
}

/** Names of the containers for which `test` holds. */
export function containersThat(
  spec: PodSpec,
  test: (security: SecurityContext, container: Container | EphemeralContainer) => boolean,
): string[] {
  return allContainers(spec)
    .filter((container) => test(container.securityContext ?? {}, container))
    .map(({ name }) => name);
}

/** "pod", then the containers, joined as upstream does; "" when nobody is to blame. */
export function blame(pod: boolean, containers: readonly string[]): string {
  return [
    ...(pod ? ["pod"] : []),
    ...(containers.length > 0 ? [named("container", containers)] : []),
  ].join(" and ");
}

/** A violation when somebody is to blame. */
export function violation(reason: string, who: string, what: string): Violation | undefined {
  return who ? { reason, detail: `${who} ${what}` } : undefined;
}

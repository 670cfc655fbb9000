import type { PodRecord } from "../pod/pod-profile.ts";
import type { ClusterState } from "./cluster-state.ts";

/** Pods that preemption made room for, on the nodes where that room is. */
export class Nominations {
  readonly #byNode = new Map<string, Map<string, PodRecord>>();
  readonly #nodeByPod = new Map<string, string>();

  set(pod: PodRecord, node: string): void {
    this.delete(pod.uid);
    this.#nodeByPod.set(pod.uid, node);
    const pods = this.#byNode.get(node);
    if (pods) pods.set(pod.uid, pod);
    else this.#byNode.set(node, new Map([[pod.uid, pod]]));
  }

  delete(uid: string): void {
    const node = this.#nodeByPod.get(uid);
    if (node === undefined) return;
    this.#nodeByPod.delete(uid);
    const pods = this.#byNode.get(node);
    pods?.delete(uid);
    if (pods?.size === 0) this.#byNode.delete(node);
  }

  has(uid: string): boolean {
    return this.#nodeByPod.has(uid);
  }

  slotOf({ uid }: PodRecord, state: ClusterState): number | undefined {
    const node = this.#nodeByPod.get(uid);
    return node === undefined ? undefined : state.slotOf(node);
  }

  /** Whether others at least as important are expected anywhere. */
  isContested(pod: PodRecord): boolean {
    for (const node of this.#byNode.keys()) if (this.expectedOn(node, pod).length > 0) return true;
    return false;
  }

  /** Pods expected on a node that go before `pod`. */
  expectedOn(node: string, pod: PodRecord): PodRecord[] {
    return this.on(node).filter(
      (other) => other.uid !== pod.uid && other.profile.priority >= pod.profile.priority,
    );
  }

  /** Everybody who is expected on a node. */
  on(node: string): PodRecord[] {
    return [...(this.#byNode.get(node)?.values() ?? [])];
  }

  /** Pods expected on a node that come after `pod`: they lose their claim to it. */
  lowerOn(node: string, pod: PodRecord): PodRecord[] {
    return this.on(node).filter((other) => other.profile.priority < pod.profile.priority);
  }
}

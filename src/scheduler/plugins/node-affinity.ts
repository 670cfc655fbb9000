import type { NodeAffinity } from "../../api/generated/types/core-v1.ts";
import { type NodeTest, requiredNodeTest, termTest } from "../../api/node-affinity.ts";
import type { PodProfile } from "../pod/pod-profile.ts";
import type { ClusterState } from "../state/cluster-state.ts";
import type { SchedulerPlugin } from "../framework/contract.ts";
import { addNormalized } from "../framework/normalize.ts";
import { perNode } from "../framework/per-node.ts";

/** Arguments of the plugin: an affinity that every pod of the scheduler has on top of its own. */
export interface NodeAffinityArgs {
  addedAffinity?: NodeAffinity;
}

const POD_REASON = "node(s) didn't match Pod's node affinity/selector";
const ADDED_REASON = "node(s) didn't match scheduler-enforced node affinity";

/** Node selectors and affinity to nodes. */
export function nodeAffinity({ addedAffinity }: NodeAffinityArgs = {}): SchedulerPlugin {
  const addedTest = requiredNodeTest(
    undefined,
    addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
  );
  const addedPreferences = (
    addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  ).map(({ weight, preference }) => ({ weight, test: termTest(preference) }));
  const accepts = (test: NodeTest | undefined, state: ClusterState, slot: number) => {
    const node = state.nodes[slot];
    return !test || (node !== undefined && test(node.labels, node.name));
  };
  const code = (state: ClusterState, profile: PodProfile, slot: number) => {
    if (!accepts(addedTest, state, slot)) return 2;
    return accepts(profile.fitsNode, state, slot) ? 0 : 1;
  };
  return {
    name: "NodeAffinity",
    filter({ state, profile }) {
      if (!profile.fitsNode && !addedTest) return undefined;
      return {
        slotOnly: true,
        begin: () => true,
        test: (slot) => code(state, profile, slot),
        explain: (why) => ({
          reasons: [why === 2 ? ADDED_REASON : POD_REASON],
          unresolvable: true,
        }),
      };
    },
    score({ state, profile }) {
      const preferences = [...profile.preferredNodes, ...addedPreferences];
      if (preferences.length === 0) return undefined;
      const sums = perNode(state, (slot) => {
        const node = state.nodes[slot];
        let sum = 0;
        for (const { weight, test } of preferences) {
          if (node && test(node.labels, node.name)) sum += weight;
        }
        return sum;
      });
      return {
        addScores(_pod, slots, out) {
          const column = sums.current();
          if (!sums.isZero) addNormalized(column, slots, { ...out, better: "more" });
        },
      };
    },
    hint(event, { profile }, state) {
      if (event.kind !== "node-added" && event.kind !== "node-changed") return false;
      if (code(state, profile, event.slot) !== 0) return false;
      if (event.kind === "node-added") return true;
      const { name = "", labels = {} } = event.before.metadata ?? {};
      const matched = (test: NodeTest | undefined) => !test || test(labels, name);
      return !(matched(addedTest) && matched(profile.fitsNode));
    },
  };
}

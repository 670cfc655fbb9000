import { NODES } from "../../api/generated/resources.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { refOf } from "../ownership.ts";

/** The range that pod addresses come from, and how it is cut: one prefix for each node. */
export interface PodAddressRange {
  /** Such as "10.244.0.0/16". */
  cidr: string;
  /** Length of a node's prefix, such as 24. */
  nodePrefix: number;
}

const DEFAULT_RANGE: PodAddressRange = { cidr: "10.244.0.0/16", nodePrefix: 24 };

/** The first prefix of the range that nobody has; undefined when all are taken. */
export function nextPodCidr(
  range: PodAddressRange,
  taken: ReadonlySet<string>,
): string | undefined {
  const [address = "", prefix = "0"] = range.cidr.split("/");
  const base = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const count = 2 ** (range.nodePrefix - Number(prefix));
  const size = 2 ** (32 - range.nodePrefix);
  for (let at = 0; at < count; at++) {
    const start = base + at * size;
    const parts = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256);
    const cidr = `${parts.join(".")}/${range.nodePrefix}`;
    if (!taken.has(cidr)) return cidr;
  }
  return undefined;
}

/** Gives every node the addresses of its pods: `spec.podCIDR`, never changed afterwards. */
export function nodeAddressController(
  range: PodAddressRange = DEFAULT_RANGE,
): ControllerDefinition {
  /** By node name: given, though the cache may not show it yet. */
  const given = new Map<string, string>();
  return defineController({
    name: "node-address",
    inputs: { nodes: input(NODES, (node) => [refOf(node)]) },
    outputs: [{ resource: NODES, verbs: ["patch"] }],
    workers: 1,
    async reconcile({ inputs, client, events }, { name }) {
      const node = inputs.nodes.get(undefined, name);
      if (!node || node.spec?.podCIDR) {
        given.delete(name);
        return;
      }
      const used = inputs.nodes.list().flatMap(({ spec }) => spec?.podCIDRs ?? []);
      const podCidr = given.get(name) ?? nextPodCidr(range, new Set([...used, ...given.values()]));
      if (!podCidr) {
        const about = { apiVersion: "v1", kind: "Node", metadata: node.metadata };
        const message = `No prefix of ${range.cidr} is left for node ${name}`;
        events.record({ about, type: "Warning", reason: "CIDRNotAvailable", message });
        return { requeueAfterMs: 30_000 };
      }
      given.set(name, podCidr);
      const spec = { podCIDR: podCidr, podCIDRs: [podCidr] };
      const { resourceVersion = "" } = node.metadata ?? {};
      await client.for(NODES).patch({ name }, { metadata: { resourceVersion }, spec });
      return {};
    },
  });
}

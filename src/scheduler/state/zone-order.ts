import type { Labels } from "../../lib/labels.ts";

const ZONE_LABELS = [
  ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"],
  ["failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone"],
] as const;

/** Region and zone of a node as one text; "" for a node without. */
export function zoneOf(labels: Labels): string {
  for (const [region, zone] of ZONE_LABELS) {
    if (labels[region] !== undefined || labels[zone] !== undefined) {
      return `${labels[region] ?? ""} ${labels[zone] ?? ""}`;
    }
  }
  return "";
}

/**
 * Slots of present nodes, zones taking turns: a decision that looks at a part of the nodes still
 * looks at all zones.
 */
export function zoneInterleaved(
  nodes: readonly { present: boolean; labels: Labels }[],
): Int32Array {
  const zones = new Map<string, number[]>();
  for (let slot = 0; slot < nodes.length; slot++) {
    const node = nodes[slot];
    if (!node?.present) continue;
    const zone = zoneOf(node.labels);
    const slots = zones.get(zone);
    if (slots) slots.push(slot);
    else zones.set(zone, [slot]);
  }
  const order: number[] = [];
  const lists = [...zones.values()];
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  for (let turn = 0; turn < longest; turn++) {
    for (const list of lists) {
      const slot = list[turn];
      if (slot !== undefined) order.push(slot);
    }
  }
  return Int32Array.from(order);
}

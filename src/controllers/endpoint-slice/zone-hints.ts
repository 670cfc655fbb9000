import type { Node, Service } from "../../api/generated/types/core-v1.ts";
import type { Endpoint } from "../../api/generated/types/discovery-v1.ts";
import { quantityToMilli } from "../../lib/quantity.ts";

const ZONE = "topology.kubernetes.io/zone";
const MODE = "service.kubernetes.io/topology-mode";
const MODE_BEFORE = "service.kubernetes.io/topology-aware-hints";
/** Nodes with these labels run what clients do not ask. */
const EXCLUDED = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];
/** How much more than its part an endpoint may have to bear. */
const OVERLOAD = 0.2;

/** "shared": zones get endpoints by their CPUs; "close": each endpoint serves its own zone. */
export type HintMode = "shared" | "close";

/** How a service wants its endpoints chosen; the annotation goes before the field. */
export function hintMode({ metadata, spec }: Service): HintMode | undefined {
  const { annotations = {} } = metadata ?? {};
  const mode = annotations[MODE_BEFORE] ?? annotations[MODE];
  if (mode === "Auto" || mode === "auto") return "shared";
  return spec?.trafficDistribution === "PreferClose" ? "close" : undefined;
}

export function zoneOf(node: Node | undefined): string | undefined {
  return node?.metadata?.labels?.[ZONE];
}

/** What of a node counts for `zoneShares`, as text to compare. */
export function zoneFacts(node: Node | undefined): string {
  return counts(node) ? `${zoneOf(node)} ${node?.status?.allocatable?.["cpu"]}` : "";
}

/**
 * The part of all CPUs that each zone has; undefined when there are not two zones, or a ready node
 * does not tell its zone or its CPUs.
 */
export function zoneShares(nodes: readonly Node[]): Map<string, number> | undefined {
  const milli = new Map<string, number>();
  let total = 0;
  for (const node of nodes) {
    if (!counts(node)) continue;
    const zone = zoneOf(node);
    const own = quantityToMilli(node.status?.allocatable?.["cpu"] ?? "0");
    if (!zone || own === 0) return undefined;
    milli.set(zone, (milli.get(zone) ?? 0) + own);
    total += own;
  }
  if (milli.size < 2) return undefined;
  return new Map(Array.from(milli, ([zone, own]) => [zone, own / total]));
}

function counts(node: Node | undefined): boolean {
  const ready = node?.status?.conditions?.find(({ type }) => type === "Ready");
  const { labels = {} } = node?.metadata ?? {};
  return ready?.status === "True" && !EXCLUDED.some((label) => label in labels);
}

/** Every ready endpoint is for its own zone. Writes into the endpoints. */
export function hintOwnZones(endpoints: readonly Endpoint[]): void {
  for (const endpoint of endpoints) {
    if (isReady(endpoint) && endpoint.zone) hint(endpoint, endpoint.zone);
  }
}

/**
 * Gives ready endpoints to zones by the zones' shares: first each to its own, then from zones with
 * too many to those with too few, where possible those that were lent before. Writes into the
 * endpoints; leaves them alone and says why, in upstream's words, when it cannot be done.
 */
export function hintByShares(
  endpoints: readonly Endpoint[],
  of: {
    shares: ReadonlyMap<string, number> | undefined;
    hintedBefore: (endpoint: Endpoint) => string | undefined;
  },
): string | undefined {
  const ready = endpoints.filter(isReady);
  if (!of.shares) {
    return "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
  }
  const counted = `(${ready.length} endpoints, ${of.shares.size} zones)`;
  if (of.shares.size > ready.length) return `Insufficient number of endpoints ${counted}`;
  const wanted = wantedByZone(of.shares, ready.length);
  if (!wanted) {
    return (
      "Unable to allocate minimum required endpoints to each zone without exceeding overload " +
      `threshold ${counted}`
    );
  }
  if (ready.some(({ zone }) => !zone)) {
    return "One or more endpoints do not have a zone specified";
  }
  hintOwnZones(ready);
  const { giving, receiving } = exchanges(ready, wanted);
  for (const lentBefore of [true, false]) {
    for (const endpoint of ready) {
      const { zone = "" } = endpoint;
      const before = of.hintedBefore(endpoint) ?? "";
      const isOpen = endpoint.hints?.forZones?.[0]?.name === zone && (giving.get(zone) ?? 0) > 0;
      const [next] = receiving.keys();
      const to = lentBefore ? before : next;
      if (!isOpen || !to || !receiving.has(to)) continue;
      hint(endpoint, to);
      take(giving, zone);
      take(receiving, to);
    }
  }
  return undefined;
}

/** Endpoints that each zone should have; undefined when even the least are too many together. */
function wantedByZone(
  shares: ReadonlyMap<string, number>,
  count: number,
): Map<string, number> | undefined {
  let least = 0;
  const wanted = new Map<string, number>();
  for (const [zone, share] of shares) {
    const minimum = Math.ceil(share * count * (1 / (1 + OVERLOAD)));
    least += minimum;
    wanted.set(zone, Math.max(share * count, minimum));
  }
  return least > count ? undefined : wanted;
}

/**
 * How many endpoints each zone gives away and gets: always from who has most too many to who lacks
 * most. The last part of an endpoint moves only where one of both has a whole one to settle.
 */
function exchanges(
  ready: readonly Endpoint[],
  wanted: ReadonlyMap<string, number>,
): { giving: Map<string, number>; receiving: Map<string, number> } {
  const surplus = new Map(Array.from(wanted, ([zone, amount]) => [zone, -amount]));
  for (const { zone = "" } of ready) surplus.set(zone, (surplus.get(zone) ?? 0) + 1);
  const tooMany = new Map([...surplus].filter(([, amount]) => amount > 0));
  const tooFew = new Map(
    [...surplus].filter(([, amount]) => amount < 0).map(([zone, amount]) => [zone, -amount]),
  );
  const giving = new Map<string, number>();
  const receiving = new Map<string, number>();
  const move = (zone: string, of: { left: Map<string, number>; counted: Map<string, number> }) => {
    of.left.set(zone, (of.left.get(zone) ?? 0) - 1);
    of.counted.set(zone, (of.counted.get(zone) ?? 0) + 1);
  };
  for (;;) {
    const [giver, most] = greatest(tooMany);
    const [receiver, need] = greatest(tooFew);
    if ((most < 1 && need < 1) || most < 0.5 || need < 0.5) return { giving, receiving };
    move(giver, { left: tooMany, counted: giving });
    move(receiver, { left: tooFew, counted: receiving });
  }
}

function greatest(zones: ReadonlyMap<string, number>): [zone: string, amount: number] {
  const sorted = [...zones].sort(([a, x], [b, y]) => y - x || (a < b ? 1 : -1));
  return sorted[0] ?? ["", 0];
}

function take(from: Map<string, number>, zone: string): void {
  const left = (from.get(zone) ?? 0) - 1;
  if (left > 0) from.set(zone, left);
  else from.delete(zone);
}

function hint(endpoint: Endpoint, zone: string): void {
  endpoint.hints = { forZones: [{ name: zone }] };
}

function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready === true;
}

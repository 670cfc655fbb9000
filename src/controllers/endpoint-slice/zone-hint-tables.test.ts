import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../api/generated/types/core-v1.ts";
import type { Endpoint } from "../../api/generated/types/discovery-v1.ts";
import { hintByShares, zoneShares } from "./zone-hints.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

/** "a" is a ready endpoint in zone a, "(a)" one that is not, "?a" one of which nobody knows. */
function endpointsIn(zones: string): Endpoint[] {
  return zones
    .split(" ")
    .filter(Boolean)
    .map((text, at) => ({
      addresses: [`10.1.2.${at}`],
      zone: text.replace(/[()?]/g, ""),
      conditions: text.startsWith("?") ? {} : { ready: !text.startsWith("(") },
    }));
}

function hinted(zones: string, shares: Record<string, number> | undefined) {
  const endpoints = endpointsIn(zones);
  const refusal = hintByShares(endpoints, {
    shares: shares && new Map(Object.entries(shares)),
    hintedBefore: () => undefined,
  });
  return { refusal, hints: endpoints.map(({ hints }) => hints?.forZones?.[0]?.name ?? ".") };
}

const rows: [
  title: string,
  zones: string,
  shares: Record<string, number> | undefined,
  hints: string | RegExp,
][] = [
  ["nothing", "", undefined, /^Insufficient Node information/],
  ["no shares", "a", undefined, /^Insufficient Node information/],
  ["too few", "a b", { a: 0.3, b: 0.4, c: 0.3 }, /^Insufficient number of endpoints/],
  ["just enough", "a b", { a: 0.45, b: 0.55 }, "a b"],
  ["some not ready", "a b (b) ?b", { a: 0.45, b: 0.55 }, "a b . ."],
  [
    "within the threshold",
    "a b c c a a a b c a",
    { a: 0.35, b: 0.35, c: 0.3 },
    "b b c c a a a b c a",
  ],
];
for (const [title, zones, shares, wanted] of rows) {
  test(`hints: ${title}`, () => {
    const { refusal, hints } = hinted(zones, shares);
    if (wanted instanceof RegExp) return assert.match(refusal ?? "", wanted);
    assert.deepEqual([refusal, hints.join(" ")], [undefined, wanted]);
  });
}

const times = (zone: string, count: number) => Array.from({ length: count }, () => zone).join(" ");
const moved: [title: string, zones: string, wanted: [number, number, number], kept: string][] = [
  ["none need to", "a b c", [1.2, 1.1, 1], "a1 b1 c1"],
  ["not for less than one on both sides", times("a", 16), [5.1, 5.1, 5.8], "a6 b5 c5"],
  ["the last to who lacks more", times("a", 16), [5, 5.6, 5.4], "a5 b6 c5"],
  ["the last from who has more", `${times("b", 8)} ${times("c", 8)}`, [5, 5.6, 5.4], "a5 b6 c5"],
  ["to two zones", "a a a", [1, 1, 1], "a1 b1 c1"],
];
for (const [title, zones, wanted, kept] of moved) {
  test(`endpoints that move: ${title}`, () => {
    const total = wanted.reduce((sum, one) => sum + one, 0);
    const [a, b, c] = wanted.map((one) => one / total) as [number, number, number];
    const { hints } = hinted(zones, { a, b, c });
    const counts = ["a", "b", "c"].map(
      (zone) => `${zone}${hints.filter((hint) => hint === zone).length}`,
    );
    assert.equal(counts.join(" "), kept);
  });
}

/** "a1000" is a ready node of zone a with so many thousandths of CPUs; "!" not ready, "#" control. */
function nodesOf(words: string): Node[] {
  return words
    .split(" ")
    .filter(Boolean)
    .map((word, at) => {
      const zone = word.replace(/[^a-z]/g, "");
      const cpu = word.replace(/\D/g, "");
      const control = word.startsWith("#") ? { "node-role.kubernetes.io/control-plane": "" } : {};
      return {
        metadata: { name: `n${at}`, labels: { "topology.kubernetes.io/zone": zone, ...control } },
        status: {
          allocatable: { cpu: `${cpu}m` },
          conditions: [{ type: "Ready", status: word.startsWith("!") ? "False" : "True" }],
        },
      };
    });
}

const nodes: [words: string, shares: Record<string, number> | undefined][] = [
  ["", undefined],
  ["a1000", undefined],
  ["a1000 a1000", undefined],
  ["a1000 b1000", { a: 0.5, b: 0.5 }],
  ["!a1000 b1000", undefined],
  ["a1000 #b1000", undefined],
  ["a1000 b1000 !b1000", { a: 0.5, b: 0.5 }],
  ["a1000 b1000 #b1000", { a: 0.5, b: 0.5 }],
  ["a1000 a1000 a1000 a2000 b3000 b1500 c500", { a: 0.5, b: 0.45, c: 0.05 }],
];
for (const [words, shares] of nodes) {
  test(`the shares of zones with nodes ${words || "that are none"}`, () => {
    const found = zoneShares(nodesOf(words));
    assert.deepEqual(found && Object.fromEntries(found), shares);
  });
}

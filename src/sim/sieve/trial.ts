import { NAMESPACES, PODS } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Resource } from "../../api/resource.ts";
import type { Change, Informer } from "../../client/informer.ts";
import { sleep } from "../../lib/clock.ts";
import type { VirtualClock } from "../../lib/virtual-clock.ts";
import type { Process } from "../sim-cluster.ts";
import { SimCluster } from "../sim-cluster.ts";
import { CLUSTER_INVARIANTS } from "./cluster-invariants.ts";
import { differences, finalStateOf } from "./final-state.ts";
import type { View } from "./invariant.ts";
import type { Scenario, Stage } from "./scenario.ts";
import { WORKLOAD_INVARIANTS } from "./workload-invariants.ts";

/** Longer than any back-off: what writes nothing for so long has come to rest. */
const REST_MS = 100_000;
const REST_TRIES = 12;
const STEP_MS = 250;
const UNTIL_TRIES = 2_000;
/** A server that was away is watched again, kind by kind, within this time. */
const ONLOOKER_LAG_MS = 30_000;
const LOG_TAIL = 400;

/** One run of some scenarios side by side. */
export interface Trial {
  scenarios: readonly Scenario[];
  seed?: number;
  suffering?: readonly Process[];
  /** The server goes away at this time, for a second. */
  serverDiesAtMs?: number;
  /** How the undisturbed run ended. */
  expected?: readonly string[];
  /** So long the cluster must write nothing in the end; at least `REST_MS`. */
  restMs?: number;
}

/** What came of it. */
export interface Outcome {
  /** Everything that went wrong; empty when all is well. */
  breaches: string[];
  objects: string[];
  crashes: number;
  /** Writes of the suffering process before it died, or at all. */
  firstWrites: number;
  writes: number;
  log: string[];
}

/** Plays a scenario to its end and checks all that must hold on the way and there. */
export async function runTrial(trial: Trial): Promise<Outcome> {
  const { scenarios, seed = 1, suffering = [] } = trial;
  await using cluster = await SimCluster.start({ seed, suffering });
  const { clock, client } = cluster;
  const breaches: string[] = [];
  const at = () => `${(clock.monotonicMs() / 1000).toFixed(3)} s`;
  const breach = (text: string) => {
    if (breaches.some((known) => known.endsWith(text))) return;
    breaches.push(`${at()} ${text}`);
    cluster.log.push(`${at()} BREACH ${text}`);
  };
  const blind = new Set(
    suffering
      .filter(({ faults }) => faults.delayMs || faults.freezes || faults.watchLifeMs)
      .flatMap(({ parts }) => parts),
  );
  observe(cluster, { breach, blind });
  if (trial.serverDiesAtMs !== undefined) {
    cluster.restartServer({ afterMs: trial.serverDiesAtMs, downMs: 1_000 });
  }
  for (const name of ["n1", "n2"]) await cluster.nodes.add(name);
  await clock.advance(1_000);
  const plays = scenarios.map((scenario) => ({ scenario, stage: stageOf(cluster, scenario) }));
  await whileTimePasses(clock, () =>
    Promise.all(
      plays.map(async ({ scenario, stage }) => {
        const metadata = { name: scenario.namespace };
        await client.for(NAMESPACES).create({ metadata });
        // Pods need the account that their namespace gets.
        await stage.wait(15_000);
        await scenario.play(stage).catch((error: unknown) => breach(String(error)));
      }),
    ),
  );
  await rest(cluster, { restMs: Math.max(REST_MS, trial.restMs ?? 0), breach });
  if (cluster.frenzy) breach(cluster.frenzy);
  for (const pod of cluster.nodes.orphaned) breach(`pod ${pod} went while its containers ran`);
  for (const { scenario, stage } of plays) await scenario.end?.(stage, breach);
  const { objects, orphans } = await finalStateOf(client);
  for (const orphan of orphans) breach(`${orphan} belongs to nobody`);
  if (trial.expected) for (const line of differences(trial.expected, objects)) breach(line);
  const { crashes, firstWrites, writes, log } = cluster;
  return { breaches, objects, crashes, firstWrites, writes, log: log.slice(-LOG_TAIL) };
}

function stageOf({ client, nodes, clock }: SimCluster, { namespace }: Scenario): Stage {
  const wait = (ms: number) => sleep(clock, ms);
  const isReady = ({ metadata, status }: Pod) =>
    !metadata?.deletionTimestamp &&
    status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;
  return {
    client,
    nodes,
    namespace,
    wait,
    async untilReady(count, labelSelector) {
      for (let tries = 0; tries < UNTIL_TRIES; tries++) {
        const { items } = await client.for(PODS).list({ namespace, labelSelector });
        if (items.filter(isReady).length === count) return;
        await wait(STEP_MS);
      }
      throw new Error(`Cannot go on in ${namespace}: there never are ${count} ready pods`);
    },
  };
}

/** Moves time on until the work is done. */
async function whileTimePasses(clock: VirtualClock, work: () => Promise<unknown>): Promise<void> {
  let isDone = false;
  const working = work().finally(() => (isDone = true));
  working.catch(() => {});
  while (!isDone) await clock.advance(STEP_MS);
  await working;
}

function observe(
  cluster: SimCluster,
  { breach, blind }: { breach: (text: string) => void; blind: ReadonlySet<string> },
): void {
  const view: View = {
    follow<T>(resource: Resource<T>, onChange?: (change: Change<T>) => void): Informer<T> {
      const informer = cluster.informers.informer(resource);
      let newest = 0;
      informer.onChange((change) => {
        const { metadata } = change.object as { metadata?: { resourceVersion?: string } };
        const revision = Number(metadata?.resourceVersion);
        if (revision > newest) cluster.noteRevision(`${(newest = revision)}`);
        onChange?.(change);
      });
      return informer;
    },
    unknownCreates: () => cluster.unknownCreates,
    isBlind: (part) => blind.has(part),
    hasTravelledBack: () => cluster.staleStarts > 0,
    hasGap: () => cluster.restarts > 0,
    later: (act) => void cluster.clock.setTimer(ONLOOKER_LAG_MS, act),
  };
  for (const { name, observe: begin } of [...WORKLOAD_INVARIANTS, ...CLUSTER_INVARIANTS]) {
    begin(view, (text) => breach(`${name}: ${text}`));
  }
}

/** Advances until nothing is written any more. */
async function rest(
  cluster: SimCluster,
  { restMs, breach }: { restMs: number; breach: (text: string) => void },
): Promise<void> {
  for (let tries = 0; tries < REST_TRIES; tries++) {
    const before = cluster.writes;
    await cluster.clock.advance(restMs);
    if (cluster.writes === before) return;
  }
  breach("the cluster never comes to rest");
}

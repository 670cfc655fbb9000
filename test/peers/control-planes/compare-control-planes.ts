import type { Transport } from "../../../src/api/transport.ts";
import { covers } from "../differential/accepted-difference.ts";
import { describeDifference, differencesOf } from "../differential/difference.ts";
import { ACCEPTED_STATES } from "./accepted-differences.ts";
import { startControlPlaneOf, type Side } from "./control-planes.ts";
import { startFakeKubelets } from "./fake-kubelet.ts";
import { type FinalState, finalStateOf } from "./final-state.ts";
import { stageOn, type Scenario } from "./scenario.ts";

/** Final states by scenario; an error stands for a state that never came. */
export type Outcome = ReadonlyMap<string, FinalState | Error>;

/** How an outcome differs from the reference, but for the written list; one line each. */
export function unexplainedIn(outcome: Outcome, reference: Outcome): string[] {
  const lines: string[] = [];
  for (const [name, wanted] of reference) {
    const found = outcome.get(name);
    if (wanted instanceof Error) lines.push(`${name}, in 1.20 itself: ${wanted.message}`);
    else if (found instanceof Error) lines.push(`${name}: ${found.message}`);
    else if (found) lines.push(...unexplainedStates(name, { found, wanted }));
  }
  return lines;
}

function unexplainedStates(
  name: string,
  { found, wanted }: { found: FinalState; wanted: FinalState },
): string[] {
  return differencesOf(found, wanted, name)
    .filter((difference) => {
      const seen = { ...difference, case: name, kind: "" };
      return !ACCEPTED_STATES.some((entry) => covers(entry, seen));
    })
    .map(describeDifference);
}

/** Plays all scenarios at once on one combination. */
export async function playScenarios(
  combination: { server: Side; controllers: Side },
  scenarios: readonly Scenario[],
): Promise<Outcome> {
  await using plane = await startControlPlaneOf(combination);
  const { transport } = plane;
  await using _nodes = await startFakeKubelets(transport, ["node-a", "node-b"]);
  const isOlder = combination.server === "upstream" && combination.controllers === "nephos";
  const isNewer = combination.server === "nephos" && combination.controllers === "upstream";
  const possible = scenarios.filter(({ tooNew, tooOld }) => {
    return !(isOlder && tooNew) && !(isNewer && tooOld);
  });
  const played = possible.map(async (scenario): Promise<[string, FinalState | Error]> => {
    try {
      return [scenario.name, await playOne(transport, scenario)];
    } catch (error) {
      return [scenario.name, error as Error];
    }
  });
  return new Map(await Promise.all(played));
}

async function playOne(transport: Transport, scenario: Scenario): Promise<FinalState> {
  const namespace = `s-${scenario.name}`;
  const stage = stageOn(transport, namespace);
  const own = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
  await stage.create("/api/v1/namespaces", own);
  await stage.until("v1/serviceaccounts/default", (account) => account !== undefined);
  await scenario.play(stage);
  return finalStateOf(transport, namespace);
}

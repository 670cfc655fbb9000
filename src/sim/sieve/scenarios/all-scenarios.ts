import type { Scenario } from "../scenario.ts";
import { CLUSTER_SCENARIOS } from "./cluster-scenarios.ts";
import { DEPLOYMENT_SCENARIOS } from "./deployment-scenarios.ts";
import { JOB_SCENARIOS } from "./job-scenarios.ts";
import { STATEFUL_SCENARIOS } from "./stateful-scenarios.ts";
import { UPKEEP_SCENARIOS } from "./upkeep-scenarios.ts";

/** Every scenario that there is. */
export const SCENARIOS: readonly Scenario[] = [
  ...DEPLOYMENT_SCENARIOS,
  ...STATEFUL_SCENARIOS,
  ...JOB_SCENARIOS,
  ...CLUSTER_SCENARIOS,
  ...UPKEEP_SCENARIOS,
];

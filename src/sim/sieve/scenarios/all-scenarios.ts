import type { Scenario } from "../scenario.ts";
import { DEPLOYMENT_SCENARIOS } from "./deployment-scenarios.ts";

/** Every scenario that there is. */
export const SCENARIOS: readonly Scenario[] = [...DEPLOYMENT_SCENARIOS];

import type { Case } from "./case.ts";
import { CUSTOM_CASES } from "./cases/custom-resources.ts";
import { DISCOVERY_CASES } from "./cases/discovery.ts";
import { FORM_CASES } from "./cases/forms.ts";
import type { Definitions } from "./cases/additions.ts";
import {
  additionCases,
  manifestCases,
  mutationCases,
  statusCases,
  updateCases,
} from "./cases/manifests.ts";
import { OWNERSHIP_CASES } from "./cases/ownership.ts";
import { APPLY_CASES, PATCH_CASES } from "./cases/patches.ts";
import { REQUEST_CASES } from "./cases/requests.ts";
import { WRITE_CASES } from "./cases/writes.ts";

/** Cases by topic whose differences all stand in the written list. */
export function settledCases(): Readonly<Record<string, readonly Case[]>> {
  return {
    requests: REQUEST_CASES,
    discovery: DISCOVERY_CASES,
    forms: FORM_CASES,
    writes: WRITE_CASES,
    patches: PATCH_CASES,
    apply: APPLY_CASES,
    ownership: OWNERSHIP_CASES,
    manifests: manifestCases(),
    custom: CUSTOM_CASES,
  };
}

const SAMPLE_EVERY = 16;

/** Some of the requests of cases whose requests build on none but the first. */
export function sampleOf(cases: readonly Case[]): Case[] {
  return cases.map(({ name, steps }, first) => ({
    name,
    steps: steps.filter((_, at) => at === 0 || at % SAMPLE_EVERY === first % SAMPLE_EVERY),
  }));
}

/**
 * Thousands of requests with one thing wrong each; the tests send a sample. What can be added is
 * what 1.20 says of its types.
 */
export function exploringCases(
  definitions: Definitions,
): Readonly<Record<ExploringTopic, readonly Case[]>> {
  return {
    mutations: mutationCases(),
    additions: additionCases(definitions),
    // From here on there are objects.
    updates: updateCases(),
    statuses: statusCases(definitions),
  };
}

export const EXPLORING_TOPICS = ["mutations", "additions", "updates", "statuses"] as const;
export type ExploringTopic = (typeof EXPLORING_TOPICS)[number];

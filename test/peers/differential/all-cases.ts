import type { Case } from "./case.ts";
import { manifestCases, mutationCases } from "./cases/manifests.ts";
import { APPLY_CASES, PATCH_CASES } from "./cases/patches.ts";
import { REQUEST_CASES } from "./cases/requests.ts";

/** Cases by topic whose differences all stand in the written list. */
export function settledCases(): Readonly<Record<string, readonly Case[]>> {
  return {
    requests: REQUEST_CASES,
    patches: PATCH_CASES,
    apply: APPLY_CASES,
    manifests: manifestCases(),
  };
}

/** Thousands of requests with one thing wrong each: for whoever works on validation. */
export function exploringCases(): Readonly<Record<string, readonly Case[]>> {
  return { mutations: mutationCases() };
}

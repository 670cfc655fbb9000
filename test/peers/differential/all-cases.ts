import type { Case } from "./case.ts";
import { APPLY_CASES, PATCH_CASES } from "./cases/patches.ts";
import { REQUEST_CASES } from "./cases/requests.ts";

/** Cases by topic. */
export const ALL_CASES: Readonly<Record<string, readonly Case[]>> = {
  requests: REQUEST_CASES,
  patches: PATCH_CASES,
  apply: APPLY_CASES,
};

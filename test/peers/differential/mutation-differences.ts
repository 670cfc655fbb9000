import type { AcceptedDifference } from "./accepted-difference.ts";

/** What only shows when manifests are wrong in one place. */
export const MUTATION_DIFFERENCES: readonly AcceptedDifference[] = [];

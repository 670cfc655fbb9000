import { type Candidate, startOf } from "./victims.ts";

/** Makes sums of priorities grow with the number of pods, even for negative priorities. */
const PRIORITY_OFFSET = 2 ** 31;

/** In the order of what matters; smaller is better. */
const CRITERIA: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => victims[0]?.profile.priority ?? Number.NEGATIVE_INFINITY,
  ({ victims }) =>
    victims.reduce((sum, { profile }) => sum + profile.priority + PRIORITY_OFFSET, 0),
  ({ victims }) => victims.length,
];

/** The node whose loss is least: the first criterion that tells candidates apart decides. */
export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let left = candidates;
  for (const criterion of CRITERIA) {
    if (left.length <= 1) return left[0];
    const values = left.map(criterion);
    const least = values.reduce((a, b) => Math.min(a, b));
    left = left.filter((_, at) => values[at] === least);
  }
  return left.reduce((best, one) => (earliestStart(one) > earliestStart(best) ? one : best));
}

/** When the oldest of the most important victims started. */
function earliestStart({ victims }: Candidate): string {
  const highest = victims[0]?.profile.priority;
  const starts = victims.filter(({ profile }) => profile.priority === highest).map(startOf);
  return starts.reduce((a, b) => (a < b ? a : b), "~");
}

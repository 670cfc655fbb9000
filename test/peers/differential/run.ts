// Sends the same requests to our API server and to kube-apiserver 1.20, and prints what differs:
//   npm run differential -- [WORD OF A CASE OR TOPIC ...]
// Without words it sends what the tests send; the topics "mutations", "additions", "updates" and "statuses" are only
// sent when they are named.
import { kubeApiServerSkip } from "../kube-apiserver.ts";
import { startPair } from "../server-pair.ts";
import { EXPLORING_TOPICS, exploringCases, settledCases } from "./all-cases.ts";
import { compareServers } from "./compare.ts";
import { MUTATION_DIFFERENCES } from "./mutation-differences.ts";
import { readDefinitions } from "./peer-definitions.ts";

const words = process.argv.slice(2);
const EXPLORING: readonly string[] = EXPLORING_TOPICS;
const skip = kubeApiServerSkip();
if (skip) throw new Error(`Cannot compare: ${skip}`);
await using pair = await startPair();
const explored = exploringCases(await readDefinitions(pair.theirs));
const topics = words.length === 0 ? settledCases() : { ...settledCases(), ...explored };
const cases = Object.entries(topics).flatMap(([topic, of]) =>
  of.filter(({ name }) => {
    if (words.length === 0) return true;
    return words.some((word) =>
      (EXPLORING.includes(topic) ? topic : `${topic} ${name}`).includes(word),
    );
  }),
);
const startMs = performance.now();
const { requests, unexplained, unused } = await compareServers(pair, cases);
for (const [name, lines] of unexplained) console.log(`${name}\n  ${lines.join("\n  ")}`);
const seen = EXPLORING.every((topic) => words.includes(topic));
for (const entry of unused) {
  const covered = MUTATION_DIFFERENCES.includes(entry) ? seen : words.length === 0;
  if (covered) console.log(`covers nothing: ${entry.reason}`);
}
const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
console.log(
  `${cases.length} cases, ${requests} requests in ${seconds} s; ${unexplained.size} differ`,
);
process.exitCode = unexplained.size > 0 ? 1 : 0;

// Sends the same requests to our API server and to kube-apiserver 1.20, and prints what differs:
//   npm run differential -- [WORD OF A CASE OR TOPIC ...]
// Without words it sends what the tests send; the topics "mutations" and "updates" are only sent when they are named.
import { kubeApiServerSkip } from "../kube-apiserver.ts";
import { startPair } from "../server-pair.ts";
import { exploringCases, settledCases } from "./all-cases.ts";
import { compareServers } from "./compare.ts";
import { MUTATION_DIFFERENCES } from "./mutation-differences.ts";

const words = process.argv.slice(2);
const EXPLORING = Object.keys(exploringCases());
const skip = kubeApiServerSkip();
if (skip) throw new Error(`Cannot compare: ${skip}`);
const topics = words.length === 0 ? settledCases() : { ...settledCases(), ...exploringCases() };
const cases = Object.entries(topics).flatMap(([topic, of]) =>
  of.filter(({ name }) => {
    if (words.length === 0) return true;
    return words.some((word) =>
      (EXPLORING.includes(topic) ? topic : `${topic} ${name}`).includes(word),
    );
  }),
);
await using pair = await startPair();
const startMs = performance.now();
const { requests, unexplained, unused } = await compareServers(pair, cases);
for (const [name, lines] of unexplained) console.log(`${name}\n  ${lines.join("\n  ")}`);
const seen = words.includes("mutations") && words.includes("updates");
for (const entry of unused) {
  const covered = MUTATION_DIFFERENCES.includes(entry) ? seen : words.length === 0;
  if (covered) console.log(`covers nothing: ${entry.reason}`);
}
const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
console.log(
  `${cases.length} cases, ${requests} requests in ${seconds} s; ${unexplained.size} differ`,
);
process.exitCode = unexplained.size > 0 ? 1 : 0;

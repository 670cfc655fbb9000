// Sends the same requests to our API server and to kube-apiserver 1.20, and prints what differs:
//   npm run differential -- [WORD OF A CASE OR TOPIC ...]
import { kubeApiServerSkip } from "../kube-apiserver.ts";
import { startPair } from "../server-pair.ts";
import { ALL_CASES } from "./all-cases.ts";
import { compareServers } from "./compare.ts";

const words = process.argv.slice(2);
const skip = kubeApiServerSkip();
if (skip) throw new Error(`Cannot compare: ${skip}`);
const cases = Object.entries(ALL_CASES).flatMap(([topic, of]) =>
  of.filter(({ name }) => words.length === 0 || words.some((w) => `${topic} ${name}`.includes(w))),
);
await using pair = await startPair();
const startMs = performance.now();
const { requests, unexplained, unused } = await compareServers(pair, cases);
for (const [name, lines] of unexplained) console.log(`${name}\n  ${lines.join("\n  ")}`);
if (words.length === 0) for (const { reason } of unused) console.log(`covers nothing: ${reason}`);
const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
console.log(
  `${cases.length} cases, ${requests} requests in ${seconds} s; ${unexplained.size} differ`,
);
process.exitCode = unexplained.size > 0 ? 1 : 0;

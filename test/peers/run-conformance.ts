// Runs Kubernetes' own conformance tests against an instance of its own and records the outcomes.
//   npm run conformance -- --images DIR [--kubectl FILE] [--focus REGEXP] [--skip REGEXP]
//                          [--timeout SECONDS] [--nodes N] [--log FILE] [--parallel N]
//                          [--agent-config FILE]
//   With --parallel N tests run in N groups beside each other, then those alone that have to; the
//   groups' logs are FILE.1 to FILE.N, that of the others is FILE.
//   npm run conformance -- --merge LOG    records the outcomes in a log of an earlier run
import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { runIsolated } from "../../scripts/isolated.ts";
import { outcomesIn, readRecord, testNames, writeRecord } from "./conformance-record.ts";
import { alone, conformanceGroups, focusOn } from "./conformance-groups.ts";
import { findPeer, peersDirectory } from "./peers.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const NEPHOS = path.join(ROOT, "bin/nephos");
const RECORD = path.join(ROOT, "docs/conformance/kubernetes-1.20.md");
const LIST = path.join(
  peersDirectory(),
  "go/src/k8s.io/kubernetes/test/conformance/testdata/conformance.yaml",
);

/** What the tests take for granted: no Pod Security, a Secret with a token for each account. */
const AS_OF_1_20 = [
  "--pod-security=privileged",
  "--legacy-service-account-tokens",
  "--legacy-apis",
];

const { values } = parseArgs({
  options: {
    images: { type: "string" },
    kubectl: { type: "string", default: "kubectl" },
    focus: { type: "string", default: "\\[Conformance\\]" },
    skip: { type: "string", default: "" },
    timeout: { type: "string", default: "7200" },
    nodes: { type: "string", default: "2" },
    parallel: { type: "string", default: "1" },
    "agent-config": { type: "string" },
    log: { type: "string", default: path.join(tmpdir(), "nephos-conformance.log") },
    merge: { type: "string", multiple: true },
    isolated: { type: "boolean", default: false },
  },
});

function nephos(...args: readonly string[]): void {
  const { status } = spawnSync(NEPHOS, args, { stdio: "inherit", timeout: 120_000 });
  if (status !== 0) throw new Error(`"nephos ${args.join(" ")}" failed`);
}

/** One process of tests; `log` gets what it says. */
interface TestRun {
  focus: string;
  log: string;
}

/** What runs at the same time, then what runs after that. */
function testRuns(): TestRun[][] {
  const parallel = Number(values.parallel);
  if (parallel === 1) return [[{ focus: values.focus, log: values.log }]];
  const wanted = testNames(readFileSync(LIST, "utf8")).filter(
    (name) =>
      new RegExp(values.focus).test(name) && !(values.skip && new RegExp(values.skip).test(name)),
  );
  const groups = conformanceGroups(wanted, parallel).map((names, i) => ({
    focus: focusOn(names),
    log: `${values.log}.${i + 1}`,
  }));
  const last = wanted.filter(alone);
  return [groups, last.length > 0 ? [{ focus: focusOn(last), log: values.log }] : []];
}

async function runProcess(program: string, directory: string, run: TestRun): Promise<void> {
  const log = openSync(run.log, "w");
  const args = [
    "--provider=skeleton",
    `--kubeconfig=${path.join(directory, "kubeconfig")}`,
    `--kubectl-path=${values.kubectl}`,
    `--ginkgo.focus=${run.focus}`,
    ...(values.skip ? [`--ginkgo.skip=${values.skip}`] : []),
    "--ginkgo.noColor",
    "--e2e-verify-service-account=false",
    "--allowed-not-ready-nodes=0",
  ];
  const timeout = Number(values.timeout) * 1000;
  const child = spawn(program, args, { stdio: ["ignore", log, log], timeout });
  closeSync(log);
  await once(child, "close");
}

/** Starts an instance with the images, runs the tests against it, and removes it again. */
async function runTests(images: string): Promise<void> {
  const tests = findPeer("e2e.test");
  if ("skip" in tests) throw new Error(tests.skip);
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-conformance-"));
  try {
    const { nodes, "agent-config": config } = values;
    const settings = ["--nodes", nodes, ...(config ? ["--agent-config", config] : [])];
    nephos("up", "--detach", ...AS_OF_1_20, ...settings, "--data-dir", directory);
    for (const name of readdirSync(images).filter((file) => file.endsWith(".tar"))) {
      nephos("image", "import", path.join(images, name), "--data-dir", directory);
    }
    for (const beside of testRuns()) {
      await Promise.all(beside.map((run) => runProcess(tests.file, directory, run)));
    }
  } finally {
    spawnSync(NEPHOS, ["down", "--purge", "--data-dir", directory], { stdio: "inherit" });
    rmSync(directory, { recursive: true, force: true });
  }
}

function record(logs: readonly string[]): void {
  const before = existsSync(RECORD) ? readFileSync(RECORD, "utf8") : "";
  const outcomes = readRecord(before);
  for (const file of logs) {
    const found = outcomesIn(readFileSync(file, "utf8"));
    for (const [name, outcome] of found) outcomes.set(name, outcome);
    const failed = [...found].filter(([, outcome]) => outcome === "failed");
    for (const [name] of failed) console.log(`failed: ${name}`);
    console.log(`${found.size - failed.length} passed, ${failed.length} failed; log: ${file}`);
  }
  mkdirSync(path.dirname(RECORD), { recursive: true });
  writeFileSync(RECORD, writeRecord(testNames(readFileSync(LIST, "utf8")), outcomes));
}

if (values.merge) record(values.merge);
else if (!values.images) throw new Error("Give --images DIR, made by conformance-images.js");
else if (values.isolated) await runTests(path.resolve(values.images));
else {
  const own = [process.execPath, import.meta.filename, ...process.argv.slice(2), "--isolated"];
  const status = runIsolated(own);
  record(testRuns().flatMap((beside) => beside.map(({ log }) => log)));
  process.exitCode = status;
}

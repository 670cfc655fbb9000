// `make up`: starts Nephos, brings the guestbook's images and manifests, waits until it serves.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { parseAllDocuments } from "yaml";
import { BUILT_IN_RESOURCES } from "../src/api/generated/resources.ts";
import { apiVersionOf, type Resource } from "../src/api/resource.ts";
import { createHttpsTransport } from "../src/client/https-transport.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { createClient } from "../src/client/resource-client.ts";

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

const ROOT = path.resolve(import.meta.dirname, "../..");
const IMAGES = ["nginx", "redis", "guestbook-api"];
const NODE_PORT = 30_080;
const SERVE_DEADLINE_MS = 120_000;
const POLL_MS = 50;

const { values } = parseArgs({
  options: {
    "data-dir": { type: "string", default: "/var/lib/nephos" },
    cache: { type: "string", default: "/var/cache/nephos/demo-images" },
  },
});
const dataDirectory = values["data-dir"];
const started = performance.now();

function say(text: string): void {
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}`);
}

/** Runs one of our own programs; its words are shown when it fails. */
function run(file: string, args: readonly string[]): string {
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: "utf8", stdio: [...stdio] });
  if (status === 0) return stdout;
  process.stderr.write(stderr || stdout);
  process.exit(status ?? 1);
}

const nephos = (...args: string[]) => {
  const [command = "", ...rest] = args;
  return run(path.join(ROOT, "bin/nephos"), [command, "--data-dir", dataDirectory, ...rest]);
};

/** Imports the archives that changed since they were imported last. */
function importImages(): void {
  const script = path.join(ROOT, "build/scripts/build-demo-images.js");
  mkdirSync(values.cache, { recursive: true });
  const options = ["--out", values.cache, "--cache", `${values.cache}/packages`];
  say("building what is missing of the images, from Debian packages");
  const args = [script, ...options, "--only", IMAGES.join(",")];
  const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) {
    console.error(`The guestbook's images are missing: ${values.cache} of a machine where \`make up\`
ran does as well. Nephos runs without them; \`make down\` removes it again.`);
    process.exit(status ?? 1);
  }
  const stampFile = path.join(dataDirectory, "demo-images.json");
  const known = readJson(stampFile);
  for (const name of IMAGES) {
    const archive = path.join(values.cache, `${name}.tar`);
    const { mtimeMs, size } = statSync(archive);
    const stamp = `${mtimeMs}/${size}`;
    if (known[name] === stamp) continue;
    nephos("image", "import", archive);
    known[name] = stamp;
    say(`imported image ${name} (${Math.ceil(size / 1e6)} MB)`);
  }
  writeFileSync(stampFile, JSON.stringify(known));
}

function readJson(file: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  } catch {
    return {};
  }
}

function resourceOf({ apiVersion, kind }: Manifest): Resource {
  const found = BUILT_IN_RESOURCES.find(
    (resource) => resource.kind === kind && apiVersionOf(resource) === apiVersion,
  );
  if (!found) throw new Error(`no resource serves ${apiVersion} ${kind}`);
  return found;
}

async function applyManifests(): Promise<void> {
  const kubeconfig = readFileSync(path.join(dataDirectory, "kubeconfig"), "utf8");
  using transport = createHttpsTransport(loadKubeconfig(kubeconfig));
  const client = createClient(transport);
  const text = readFileSync(path.join(ROOT, "examples/guestbook/guestbook.yaml"), "utf8");
  for (const document of parseAllDocuments(text)) {
    const manifest = document.toJS() as Manifest;
    const resource = resourceOf(manifest);
    await client.for(resource).apply(manifest, { fieldManager: "nephos-demo", force: true });
  }
}

/** Polls until the guestbook answers, and says now and then what it waits for. */
async function untilServing(url: string): Promise<string> {
  for (let told = 0; performance.now() - started < SERVE_DEADLINE_MS; told++) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok) return (await answer.text()).trim();
    if (told % 100 === 99) say(`waiting for ${url}`);
    await delay(POLL_MS);
  }
  const advice = `look with: kubectl --kubeconfig ${dataDirectory}/kubeconfig get pods -A`;
  throw new Error(`the guestbook does not answer at ${url}; ${advice}`);
}

say("starting Nephos");
nephos("up", "--detach");
const status = JSON.parse(nephos("status", "-o", "json")) as {
  nodes: { name: string; ip: string }[];
};
const [node] = status.nodes;
say(`node ${node?.name} is Ready`);
importImages();
await applyManifests();
say("applied examples/guestbook");
const url = `http://${node?.ip}:${NODE_PORT}/entries`;
const first = JSON.parse(await untilServing(url)) as { entries: string[] };
say("the guestbook serves");
if (first.entries.length === 0) {
  await fetch(url, { method: "POST", body: `Hello from ${node?.name}` });
}
console.log(`
$ curl ${url}
${await untilServing(url)}

Go on with:
  export KUBECONFIG=${dataDirectory}/kubeconfig
  kubectl get pods -n guestbook -o wide
  kubectl logs -n guestbook deploy/api
  kubectl exec -n guestbook -it deploy/api -- sh
  kubectl scale -n guestbook deploy/api --replicas=5
  curl -d 'my entry' ${url}
  bin/nephos status        # processes and memory
  bin/nephos down --purge  # removes everything again`);

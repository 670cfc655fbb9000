// Controllers and scheduler in a process of their own: what their port tells, and to whom.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { HEAP_ENVIRONMENT, NODE_FLAGS } from "../../src/cmd/up.ts";
import { freePorts } from "../peers/free-ports.ts";
import { startNephosApiServer } from "../peers/nephos-apiserver.ts";
import { PeerProcess } from "../peers/peer-process.ts";
import type { ServerUnderTest } from "../peers/server-under-test.ts";
import { eventually } from "./eventually.ts";
import { outcomeOf } from "./instance-under-test.ts";

const ENTRY = path.resolve(import.meta.dirname, "../../src/cmd/nephos.js");

let server: ServerUnderTest;
let controllers: PeerProcess;
let directory: string;
let port: number;

const curl = async (page: string, ...flags: string[]) => {
  const url = `https://127.0.0.1:${port}${page}`;
  const { stdout } = await outcomeOf("curl", ["-sk", "-w", "\n%{http_code}", ...flags, url]);
  const at = stdout.lastIndexOf("\n");
  return { code: Number(stdout.slice(at + 1)), text: stdout.slice(0, at) };
};
const kubectl = async (...args: string[]) => {
  const env = { KUBECONFIG: server.kubeconfig };
  const { code, stdout, stderr } = await outcomeOf("kubectl", args, { env });
  assert.equal(code, 0, stderr);
  return stdout.trim();
};

before(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "nephos-controllers-"));
  server = await startNephosApiServer();
  [port = 0] = await freePorts(1);
  controllers = PeerProcess.start({
    name: "nephos controllers",
    file: process.execPath,
    environment: HEAP_ENVIRONMENT,
    args: [
      ...NODE_FLAGS,
      ENTRY,
      "controllers",
      `--kubeconfig=${server.kubeconfig}`,
      `--secure-port=${port}`,
      "--bind-address=127.0.0.1",
    ],
    log: path.join(directory, "controllers.log"),
  });
  const answers = async () => (await curl("/healthz")).code === 200;
  await controllers.untilReady(answers, { patienceMs: 30_000 });
});
after(async () => {
  await controllers?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

test("everybody may ask whether it lives, and nobody else's figures", async () => {
  for (const page of ["/healthz", "/livez", "/readyz"]) {
    assert.deepEqual(await curl(page), { code: 200, text: "ok" });
  }
  const { code, text } = await curl("/metrics");
  assert.equal(code, 403);
  assert.match(text, /User \\"system:anonymous\\" cannot get path \\"\/metrics\\"/);
  assert.equal((await curl("/metrics", "-H", "Authorization: Bearer x.y.z")).code, 401);
});

test("a ServiceAccount scrapes what its role allows", async () => {
  await kubectl("create", "serviceaccount", "prometheus");
  const token = await kubectl("create", "token", "prometheus");
  const asIt = ["-H", `Authorization: Bearer ${token}`];
  assert.equal((await curl("/metrics", ...asIt)).code, 403);
  await kubectl("create", "clusterrole", "scrape", "--verb=get", "--non-resource-url=/metrics");
  const binding = ["clusterrolebinding", "scrape", "--clusterrole=scrape"];
  await kubectl("create", ...binding, "--serviceaccount=default:prometheus");
  const another = await kubectl("create", "token", "prometheus", "--duration=20m");
  await kubectl("create", "serviceaccount", "other");
  const others = await kubectl("create", "token", "other");
  // What was said to the first token's user is believed for ten seconds.
  const again = () => curl("/metrics", "-H", `Authorization: Bearer ${another}`);
  await eventually("the role is known", async () => (await again()).code === 200);
  const { text } = await again();
  assert.match(text, /^workqueue_adds_total\{/m);
  assert.match(text, /^scheduler_pending_pods\{/m);
  assert.equal((await curl("/metrics", "-H", `Authorization: Bearer ${others}`)).code, 403);
});

test("a certificate of the cluster's authority is its user", async () => {
  const file = (name: string) => path.join(server.pki.directory, name);
  const asAdmin = ["--cert", file("admin.crt"), "--key", file("admin.key")];
  const { code, text } = await curl("/configz", ...asAdmin);
  assert.equal(code, 200);
  const settings = JSON.parse(text) as Record<string, Record<string, unknown>>;
  assert.equal(settings["kubescheduler.config.k8s.io"]?.["PodMaxBackoffSeconds"], 10);
  assert.equal((await curl("/nothing", ...asAdmin)).code, 404);
});

test("plain HTTP is refused on addresses that others reach", async () => {
  const flags = ["controllers", `--kubeconfig=${server.kubeconfig}`, "--metrics=0.0.0.0:9999"];
  const { code, stderr } = await outcomeOf(process.execPath, [ENTRY, ...flags]);
  assert.equal(code, 2);
  assert.match(stderr, /--metrics 0\.0\.0\.0:9999: plain HTTP is for loopback addresses/);
});

import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { createFakeNode } from "./fake-parts.ts";
import { logDirectoryOf, makeLogPlaces, purgeLogs } from "./pod-logs.ts";
import { createPodManager } from "./pod-manager.ts";
import { AT, createPod, until } from "./pod-manager-fixture.ts";

const root = mkdtempSync(path.join(tmpdir(), "nephos-logs-"));
after(() => rmSync(root, { recursive: true }));

/** A node whose pods' logs lie where others' do, too. */
function sharedNode(name: string) {
  const node = createFakeNode();
  const logs = path.join(root, name, "pods");
  const links = path.join(root, name, "containers");
  const logIndex = path.join(root, name, "own");
  mkdirSync(logIndex, { recursive: true });
  node.parts.directories = { ...node.parts.directories, logs, logIndex };
  return { node, logs, links, logIndex };
}

const list = (directory: string) => (existsSync(directory) ? readdirSync(directory) : []);

test("logs lie where those who ship them look, under names that tell whose they are", async () => {
  const { node, logs, links, logIndex } = sharedNode("shared");
  await using _node = node;
  await using manager = createPodManager(node.parts);
  await manager.start();
  await createPod(node);
  await until(() => node.events.some(({ reason }) => reason === "Started"));
  const { uid } = (await node.parts.client.for(PODS).get(AT)).metadata ?? {};
  const [[id, spec] = ["", undefined]] = node.runtime.specs;
  assert.match(id, /^[0-9a-f]{64}$/);
  assert.equal(spec?.logPath, path.join(logs, `default_web_${uid}`, "app", "0.log"));
  assert.deepEqual(list(logs), [`default_web_${uid}`]);
  assert.deepEqual(list(links), [`web_default_app-${id}.log`]);
  assert.equal(readlinkSync(path.join(links, `web_default_app-${id}.log`)), spec.logPath);
  // What others keep there is nobody's business.
  mkdirSync(path.join(logs, "default_web_other"));
  writeFileSync(path.join(links, "web_default_app-other.log"), "");
  await node.parts.client.for(PODS).delete(AT);
  await until(() => manager.pods().length === 0);
  assert.deepEqual(list(logs), ["default_web_other"]);
  assert.deepEqual(list(links), ["web_default_app-other.log"]);
  assert.deepEqual(list(logIndex), []);
});

test("links to logs of attempts that nobody can ask for any more go with them", async () => {
  const { node, links } = sharedNode("attempts");
  await using _node = node;
  await using manager = createPodManager(node.parts);
  await manager.start();
  await createPod(node);
  for (let attempt = 0; attempt < 3; attempt++) {
    await until(() => node.runtime.statuses.size > 0 && list(links).length > 0);
    const running = [...node.runtime.statuses].find(([, { state }]) => state === "running");
    node.runtime.exit(running?.[0] ?? "", 1);
    for (let step = 0; step < 40; step++) {
      await node.clock.advance(1_000);
      await settle();
    }
  }
  await until(() => list(links).length === 2);
});

test("logs that an agent kept elsewhere stay where they are", () => {
  const { logs, logIndex } = sharedNode("before");
  const of = { namespace: "a", name: "web", uid: "u" };
  mkdirSync(path.join(logIndex, "a_web_u"));
  assert.equal(logDirectoryOf({ logs, logIndex }, of), path.join(logIndex, "a_web_u"));
  assert.equal(logDirectoryOf({ logs: logIndex, logIndex }, of), path.join(logIndex, "a_web_u"));
  assert.equal(logDirectoryOf({ logs, logIndex }, { ...of, uid: "v" }), path.join(logs, "a_web_v"));
});

test("logs go with a pod that was forgotten meanwhile, wherever they are", async () => {
  const { node, logs, links, logIndex } = sharedNode("forgotten");
  await using _node = node;
  {
    await using manager = createPodManager(node.parts);
    await manager.start();
    await createPod(node);
    await until(() => list(links).length === 1);
  }
  mkdirSync(path.join(logIndex, "a_finished_u"));
  mkdirSync(path.join(logs, "a_other_u"));
  await node.parts.client.for(PODS).delete(AT, { gracePeriodSeconds: 0 });
  await settle();
  // The shared place is not configured any more.
  node.parts.directories.logs = logIndex;
  await using manager = createPodManager(node.parts);
  await manager.start();
  await until(() => list(logIndex).length === 0);
  assert.deepEqual([list(logs), list(links)], [["a_other_u"], []]);
});

test("a place where no logs can be kept is named with the setting that chooses it", () => {
  const file = path.join(root, "file");
  writeFileSync(file, "");
  const said = /^Cannot keep the logs of pods in ".*file\/pods": .*choose another .* podLogsDir$/;
  assert.throws(() => makeLogPlaces(path.join(file, "pods")), { message: said });
});

test("a purge removes the logs of its own pods and the links to them, and nothing else", async () => {
  const { node, logs, links, logIndex } = sharedNode("purged");
  await using _node = node;
  await using manager = createPodManager(node.parts);
  await manager.start();
  await createPod(node);
  await until(() => list(links).length === 1);
  mkdirSync(path.join(logs, "default_web_other"));
  purgeLogs(logIndex);
  purgeLogs(path.join(logIndex, "none"));
  assert.deepEqual(list(logs), ["default_web_other"]);
  assert.deepEqual(list(links), []);
  purgeLogs(logIndex, logs);
  assert.deepEqual([existsSync(logs), existsSync(links)], [true, false]);
  rmSync(path.join(logs, "default_web_other"), { recursive: true });
  purgeLogs(logIndex, logs);
  purgeLogs(logIndex, logs);
  assert.ok(!existsSync(logs));
});

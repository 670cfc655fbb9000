// What parts of the control plane do when their caches do not show what is there. Each case once
// went wrong under random faults (`npm run simulate`) and is played here step by step.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isNotFound } from "../api/errors.ts";
import {
  CONFIG_MAPS,
  CUSTOM_RESOURCE_DEFINITIONS,
  DEPLOYMENTS,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  REPLICA_SETS,
  SECRETS,
  SERVICE_ACCOUNTS,
  STATEFUL_SETS,
} from "../api/generated/resources.ts";
import type { ConfigMap } from "../api/generated/types/core-v1.ts";
import type { Client } from "../client/client.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { createClient } from "../client/resource-client.ts";
import { Cleanup } from "../lib/cleanup.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { BlindTransport } from "./blind-transport.ts";
import { startPart } from "./sim-parts.ts";
import { SimServer } from "./sim-server.ts";

const at = (name: string) => ({ name, namespace: "default" });
const MAPS = /\/configmaps\b/;

interface Bench extends AsyncDisposable {
  clock: VirtualClock;
  /** The user's own. */
  client: Client;
  sight: BlindTransport;
  /** Starts the part and lets it come to rest. */
  start(): Promise<void>;
  exists(map: string): Promise<boolean>;
}

/** The real API server, and one part that sees it through a transport of the test. */
async function benchOf(part: string): Promise<Bench> {
  const cleanup = new Cleanup();
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const server = cleanup.use(new SimServer({ clock, random }));
  await server.start();
  const client = createClient(server.transport("user"));
  const sight = new BlindTransport(server.transport(part));
  await client.for(NAMESPACES).create({ metadata: { name: "default" } });
  await client.for(SERVICE_ACCOUNTS).create({ metadata: at("default") });
  const start = async () => {
    const sources = { client: createClient(sight), clock, random, logger: silentLogger };
    const informers = cleanup.use(createInformerFactory(sources));
    cleanup.use(startPart(part, { ...sources, informers, events: { record: () => undefined } }));
    await clock.advance(1_000);
  };
  const exists = (map: string) =>
    client
      .for(CONFIG_MAPS)
      .get(at(map))
      .then(() => true, isAbsence);
  return {
    clock,
    client,
    sight,
    start,
    exists,
    [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose](),
  };
}

function isAbsence(error: unknown): false {
  if (!isNotFound(error)) throw error;
  return false;
}

/** Makes a Secret and gives a reference to it as an owner. */
async function createSecret(client: Client, name: string) {
  const { metadata } = await client.for(SECRETS).create({ metadata: at(name) });
  const uid = metadata?.uid ?? "";
  return { apiVersion: "v1", kind: "Secret", name, uid, blockOwnerDeletion: true };
}

async function createMap(client: Client, name: string, more: ConfigMap["metadata"]) {
  await client.for(CONFIG_MAPS).create({ metadata: { ...at(name), ...more } });
}

const WIDGETS = {
  metadata: { name: "widgets.sim.nephos.dev" },
  spec: {
    group: "sim.nephos.dev",
    names: { kind: "Widget", plural: "widgets" },
    scope: "Namespaced" as const,
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object" as const } },
      },
    ],
  },
};

const COLLECTOR = "garbage-collector";

test("what an owner leaves behind is collected, though the collector never saw the owner", async () => {
  await using bench = await benchOf(COLLECTOR);
  const { client, clock, sight } = bench;
  await bench.start();
  sight.hidden = /\/secrets\b/;
  const ownerReferences = [await createSecret(client, "owner")];
  await createMap(client, "dependent", { ownerReferences });
  await clock.advance(1_000);
  await client.for(SECRETS).delete(at("owner"), { propagationPolicy: "Background" });
  await clock.advance(1_000);
  sight.show();
  await clock.advance(30_000);
  assert.equal(await bench.exists("dependent"), false);
});

test("what a kind owns that nobody serves stays until the kind is served and the owner missing", async () => {
  await using bench = await benchOf(COLLECTOR);
  const { client, clock } = bench;
  const ownedBy = (name: string, uid: string) => ({
    ownerReferences: [{ apiVersion: "sim.nephos.dev/v1", kind: "Widget", name, uid }],
  });
  await createMap(client, "of-nobody", ownedBy("gone", "a-uid-of-nobody"));
  await bench.start();
  await clock.advance(60_000);
  assert.equal(await bench.exists("of-nobody"), true);
  await client.for(CUSTOM_RESOURCE_DEFINITIONS).create(WIDGETS);
  await clock.advance(1_000);
  const body = { apiVersion: "sim.nephos.dev/v1", kind: "Widget", metadata: at("here") };
  const path = "/apis/sim.nephos.dev/v1/namespaces/default/widgets";
  const made = await client.transport.request({ method: "POST", path, body });
  const { metadata } = made.body as { metadata: { uid: string } };
  await createMap(client, "of-widget", ownedBy("here", metadata.uid));
  await clock.advance(60_000);
  assert.equal(await bench.exists("of-nobody"), false);
  assert.equal(await bench.exists("of-widget"), true);
  await client.transport.request({ method: "DELETE", path: `${path}/here` });
  await clock.advance(10_000);
  assert.equal(await bench.exists("of-widget"), false);
});

test("an owner leaves orphans behind that the collector has not seen", async () => {
  await using bench = await benchOf(COLLECTOR);
  const { client, clock, sight } = bench;
  const ownerReferences = [await createSecret(client, "owner")];
  await bench.start();
  sight.hidden = MAPS;
  await createMap(client, "dependent", { ownerReferences });
  await client.for(SECRETS).delete(at("owner"), { propagationPolicy: "Orphan" });
  await clock.advance(1_000);
  sight.show();
  await clock.advance(30_000);
  const { metadata } = await client.for(CONFIG_MAPS).get(at("dependent"));
  assert.equal(metadata?.ownerReferences, undefined);
});

test("an object that was given another owner stays, though the collector knows the old one", async () => {
  await using bench = await benchOf(COLLECTOR);
  const { client, clock, sight } = bench;
  const before = await createSecret(client, "before");
  await createMap(client, "dependent", { ownerReferences: [before] });
  await bench.start();
  sight.hidden = MAPS;
  const ownerReferences = [await createSecret(client, "after")];
  await client.for(CONFIG_MAPS).patch(at("dependent"), { metadata: { ownerReferences } });
  await client.for(SECRETS).delete(at("before"), { propagationPolicy: "Background" });
  await clock.advance(10_000);
  assert.equal(await bench.exists("dependent"), true);
  sight.show();
  await clock.advance(30_000);
  assert.equal(await bench.exists("dependent"), true);
});

test("an owner does not go before dependents that are still to be listed", async () => {
  await using bench = await benchOf(COLLECTOR);
  const { client, clock, sight } = bench;
  const ownerReferences = [await createSecret(client, "owner")];
  await createMap(client, "dependent", { ownerReferences, finalizers: ["example.com/held"] });
  await client.for(SECRETS).delete(at("owner"), { propagationPolicy: "Foreground" });
  sight.refused = /\/configmaps\?/;
  await bench.start();
  sight.refused = undefined;
  await clock.advance(5_000);
  const waiting = await client.for(SECRETS).get(at("owner"));
  assert.deepEqual(waiting.metadata?.finalizers, ["foregroundDeletion"]);
  await client.for(CONFIG_MAPS).patch(at("dependent"), { metadata: { finalizers: [] } });
  await clock.advance(5_000);
  await assert.rejects(client.for(SECRETS).get(at("owner")), /not found/);
});

test("a kind that comes and cannot be listed holds up nothing of other kinds", async () => {
  await using bench = await benchOf(COLLECTOR);
  const { client, clock, sight } = bench;
  const secrets = client.for(SECRETS);
  await bench.start();
  sight.refused = /\/widgets\b/;
  await client.for(CUSTOM_RESOURCE_DEFINITIONS).create(WIDGETS);
  await clock.advance(11_000);
  const ownerReferences = [await createSecret(client, "owner")];
  await createMap(client, "dependent", { ownerReferences });
  await secrets.delete(at("owner"), { propagationPolicy: "Background" });
  await createSecret(client, "waiting");
  await secrets.delete(at("waiting"), { propagationPolicy: "Foreground" });
  await createSecret(client, "orphaning");
  await secrets.delete(at("orphaning"), { propagationPolicy: "Orphan" });
  await clock.advance(1_000);
  assert.equal(await bench.exists("dependent"), false);
  assert.deepEqual((await secrets.list({ namespace: "default" })).items, []);
});

test("an owner leaves orphans behind though a kind has just gone", async () => {
  await using bench = await benchOf(COLLECTOR);
  const { client, clock } = bench;
  const secrets = client.for(SECRETS);
  const kinds = client.for(CUSTOM_RESOURCE_DEFINITIONS);
  await kinds.create(WIDGETS);
  await clock.advance(1_000);
  await bench.start();
  await kinds.delete({ name: WIDGETS.metadata.name });
  await clock.advance(1_000);
  await createSecret(client, "owner");
  await secrets.delete(at("owner"), { propagationPolicy: "Orphan" });
  await clock.advance(1_000);
  assert.deepEqual((await secrets.list({ namespace: "default" })).items, []);
});

test("an owner leaves orphans behind though the server of some kind fails for good", async () => {
  await using bench = await benchOf(COLLECTOR);
  const { client, clock, sight } = bench;
  const secrets = client.for(SECRETS);
  await bench.start();
  const ownerReferences = [await createSecret(client, "owner")];
  await createMap(client, "dependent", { ownerReferences });
  await clock.advance(1_000);
  sight.refused = /\/configmaps\?/;
  await secrets.delete(at("owner"), { propagationPolicy: "Orphan" });
  await clock.advance(1_000);
  const { metadata } = await client.for(CONFIG_MAPS).get(at("dependent"));
  assert.equal(metadata?.ownerReferences, undefined);
  assert.deepEqual((await secrets.list({ namespace: "default" })).items, []);
});

test("an owner that waits goes once its dependent stops blocking it", async () => {
  await using bench = await benchOf(COLLECTOR);
  const { client, clock } = bench;
  const reference = await createSecret(client, "owner");
  const finalizers = ["example.com/held"];
  await createMap(client, "dependent", { ownerReferences: [reference], finalizers });
  await bench.start();
  await client.for(SECRETS).delete(at("owner"), { propagationPolicy: "Foreground" });
  await clock.advance(1_000);
  const free = { ...reference, blockOwnerDeletion: false };
  await client.for(CONFIG_MAPS).patch(at("dependent"), { metadata: { ownerReferences: [free] } });
  await clock.advance(5_000);
  await assert.rejects(client.for(SECRETS).get(at("owner")), /not found/);
});

test("a claim stays while a pod uses it that the cache does not show", async () => {
  await using bench = await benchOf("pvc-protection-controller");
  const { client, clock, sight } = bench;
  await client.for(PERSISTENT_VOLUME_CLAIMS).create({
    metadata: at("data"),
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  });
  await bench.start();
  sight.hidden = /\/pods\b/;
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
  await client.for(PODS).create({
    metadata: at("user"),
    spec: { nodeName: "n1", containers: [{ name: "c", image: "i" }], volumes },
  });
  await client.for(PERSISTENT_VOLUME_CLAIMS).delete(at("data"));
  await clock.advance(10_000);
  const claim = await client.for(PERSISTENT_VOLUME_CLAIMS).get(at("data"));
  assert.ok(claim.metadata?.deletionTimestamp);
  await client.for(PODS).delete(at("user"), { gracePeriodSeconds: 0 });
  sight.show();
  await clock.advance(60_000);
  await assert.rejects(client.for(PERSISTENT_VOLUME_CLAIMS).get(at("data")), /not found/);
});

test("tokens go with an account that the cleaner never saw", async () => {
  await using bench = await benchOf("token-cleaner");
  const { client, clock, sight } = bench;
  await bench.start();
  sight.hidden = /\/serviceaccounts\b/;
  const { metadata } = await client.for(SERVICE_ACCOUNTS).create({ metadata: at("robot") });
  const annotations = {
    "kubernetes.io/service-account.name": "robot",
    "kubernetes.io/service-account.uid": metadata?.uid ?? "",
  };
  const type = "kubernetes.io/service-account-token";
  await client.for(SECRETS).create({ metadata: { ...at("token"), annotations }, type });
  await clock.advance(1_000);
  await client.for(SERVICE_ACCOUNTS).delete(at("robot"));
  await clock.advance(1_000);
  sight.show();
  await clock.advance(30_000);
  await assert.rejects(client.for(SECRETS).get(at("token")), /not found/);
});

test("a claim goes with a pod that is scaled away, though the cache does not show the claim", async () => {
  await using bench = await benchOf("stateful-set");
  const { client, clock, sight } = bench;
  await bench.start();
  sight.hidden = /\/persistentvolumeclaims\b/;
  const labels = { app: "db" };
  await client.for(STATEFUL_SETS).create({
    metadata: at("db"),
    spec: {
      serviceName: "db",
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } },
      persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete" },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
        },
      ],
    },
  });
  await clock.advance(10_000);
  await client.for(STATEFUL_SETS).patch(at("db"), { spec: { replicas: 0 } });
  await clock.advance(10_000);
  await assert.rejects(client.for(PODS).get(at("db-0")), /not found/);
  const { metadata } = await client.for(PERSISTENT_VOLUME_CLAIMS).get(at("data-db-0"));
  assert.equal(metadata?.ownerReferences?.[0]?.name, "db-0");
});

test("no claim is made for a pod that only the cache still shows", async () => {
  await using bench = await benchOf("ephemeral-volume-controller");
  const { client, clock, sight } = bench;
  const claims = client.for(PERSISTENT_VOLUME_CLAIMS);
  const resources = { requests: { storage: "1Mi" } };
  const spec = { accessModes: ["ReadWriteOnce" as const], resources, storageClassName: "none" };
  const volumes = [{ name: "own", ephemeral: { volumeClaimTemplate: { spec } } }];
  const containers = [{ name: "c", image: "i" }];
  await client.for(PODS).create({ metadata: at("user"), spec: { containers, volumes } });
  await bench.start();
  assert.equal((await claims.get(at("user-own"))).metadata?.name, "user-own");
  sight.hidden = /\/pods\b/;
  await client.for(PODS).delete(at("user"), { gracePeriodSeconds: 0 });
  const finalizers: string[] = [];
  await claims.patch(at("user-own"), { metadata: { finalizers } });
  await claims.delete(at("user-own"));
  await clock.advance(5_000);
  assert.deepEqual((await claims.list({ namespace: "default" })).items, []);
});

test("no set is made for a deployment that only the cache still shows", async () => {
  await using bench = await benchOf("deployment");
  const { client, clock, sight } = bench;
  const sets = client.for(REPLICA_SETS);
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  await client.for(DEPLOYMENTS).create({ metadata: at("web"), spec });
  await bench.start();
  const [made] = (await sets.list({ namespace: "default" })).items;
  const { name = "" } = made?.metadata ?? {};
  assert.match(name, /^web-/);
  sight.hidden = /\/deployments\b/;
  await client.for(DEPLOYMENTS).delete(at("web"), { propagationPolicy: "Background" });
  await sets.delete(at(name));
  await clock.advance(5_000);
  assert.deepEqual((await sets.list({ namespace: "default" })).items, []);
});

test("a set counts, though the answer to its making was lost and the cache lags", async () => {
  await using bench = await benchOf("deployment");
  const { client, clock, sight } = bench;
  const sets = client.for(REPLICA_SETS);
  const labels = { app: "web" };
  const containers = (image: string) => [{ name: "c", image }];
  const template = { metadata: { labels }, spec: { containers: containers("one") } };
  const strategy = { type: "Recreate" as const };
  const spec = { replicas: 2, strategy, selector: { matchLabels: labels }, template };
  await bench.start();
  sight.hidden = /\/replicasets\b/;
  sight.loses = { method: "POST", path: /\/replicasets\b/ };
  await client.for(DEPLOYMENTS).create({ metadata: at("web"), spec });
  await clock.advance(1_000);
  await client
    .for(DEPLOYMENTS)
    .patch(at("web"), { spec: { template: { spec: { containers: containers("two") } } } });
  await clock.advance(1_000);
  const sizes = (await sets.list({ namespace: "default" })).items.map((set) => set.spec?.replicas);
  assert.ok(sizes.length > 0);
  assert.equal(
    sizes.reduce((sum, size) => (sum ?? 0) + (size ?? 1), 0) ?? 0,
    0,
    "the first gives way before the second comes",
  );
});

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { silentLogger } from "../lib/logger.ts";
import { encodeMetrics } from "../lib/prometheus.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { openLmdbStore } from "../store/lmdb/lmdb-store.ts";
import { openEncryption } from "./encryption.ts";
import { createKmsVault, type KmsVault, rotate, startKmsPlugin } from "./kms-plugin-fixture.ts";

const SECRETS = "core/secrets";

/** A configuration with one service, in a directory of its own. */
async function withService(
  use: (of: {
    socketPath: string;
    store: string;
    clock: VirtualClock;
    vault: KmsVault;
    open: () => ReturnType<typeof openEncryption>;
  }) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-kms-"));
  const file = path.join(directory, "encryption.yaml");
  const socketPath = path.join(directory, "kms.sock");
  const kms = { apiVersion: "v2", name: "vault", endpoint: `unix://${socketPath}` };
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: "apiserver.config.k8s.io/v1",
      kind: "EncryptionConfiguration",
      resources: [{ resources: ["secrets"], providers: [{ kms }, { identity: {} }] }],
    }),
  );
  const clock = new VirtualClock();
  const sources = { clock, random: seededRandom(7), logger: silentLogger };
  const open = () => openEncryption({ file, follow: false }, sources);
  const store = path.join(directory, "store");
  try {
    await use({ socketPath, store, clock, vault: createKmsVault("key-1"), open });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** In virtual time, while sockets live in real time: looks on, with as little as that. */
async function reach(clock: VirtualClock, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await clock.advance(0);
}

const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? "").toString();

test("values are under a service's keys: asked once per seed, and again after a restart", () =>
  withService(async ({ socketPath, store, clock, vault, open }) => {
    await assert.rejects(open(), /^CommandError: Cannot use the KMS provider "vault": /);
    await using _service = await startKmsPlugin(socketPath, vault);
    {
      using encryption = await open();
      await using opened = await openLmdbStore({ directory: store, clock, encryption });
      const { revision } = await opened.create(SECRETS, "a", Buffer.from("hush"));
      await opened.create(SECRETS, "b", Buffer.from("hush, too"));
      assert.deepEqual(vault.calls, ["Status", "Encrypt"]);
      assert.equal(opened.isStale(SECRETS, "a"), false);
      rotate(vault, "key-2");
      await clock.advance(60_000);
      await reach(clock, () => opened.isStale(SECRETS, "a"));
      assert.deepEqual(vault.calls.slice(2), ["Status", "Encrypt"]);
      assert.equal(text((await opened.get(SECRETS, "a"))?.bytes), "hush");
      await opened.update(SECRETS, "a", { bytes: Buffer.from("hush"), expectedRevision: revision });
      assert.equal(opened.isStale(SECRETS, "a"), false);
    }
    const files = readdirSync(store).map((name) => readFileSync(path.join(store, name), "latin1"));
    assert.ok(files.join("").includes("k8s:enc:kms:v2:vault:"));
    assert.ok(!files.join("").includes("hush"));
    vault.calls.length = 0;
    {
      using encryption = await open();
      await using opened = await openLmdbStore({ directory: store, clock, encryption });
      assert.deepEqual(vault.calls, ["Status", "Encrypt", "Decrypt", "Decrypt"]);
      const { items } = await opened.list(SECRETS);
      assert.deepEqual(
        items.map(({ bytes }) => text(bytes)),
        ["hush", "hush, too"],
      );
      assert.equal(opened.isStale(SECRETS, "b"), true);
      const figures = encodeMetrics(encryption?.metrics() ?? []);
      const of = 'transformation_type="from_storage",transformer_prefix="k8s:enc:kms:v2:vault:"';
      const total = "apiserver_storage_transformation_operations_total";
      assert.match(
        figures,
        new RegExp(`^${total}\\{resource="secrets",status="OK",${of}\\} [1-9]`, "m"),
      );
      const seconds = "apiserver_storage_transformation_duration_seconds_count";
      assert.ok(figures.includes(`${seconds}{${of}}`));
    }
    vault.keyIds.delete("key-1");
    {
      using encryption = await open();
      await assert.rejects(openLmdbStore({ directory: store, clock, encryption }), {
        message: /"vault" has not decrypted a seed under its key "key-1": .*key-1 was destroyed/,
      });
    }
    vault.healthz = "sealed";
    await assert.rejects(open(), /it says of itself "sealed"$/);
  }));

test("values are written for three minutes without their service, and read for longer", () =>
  withService(async ({ socketPath, store, clock, vault, open }) => {
    let service = await startKmsPlugin(socketPath, vault);
    using encryption = await open();
    await using opened = await openLmdbStore({ directory: store, clock, encryption });
    const { revision } = await opened.create(SECRETS, "a", Buffer.from("hush"));
    await opened.create("core/configmaps", "plain", Buffer.from("open"));
    const [check] = encryption?.checks ?? [];
    const told = (what: RegExp) => async () => what.test((await check?.check()) ?? "");
    vault.healthz = "sealed";
    await clock.advance(60_000);
    await reach(clock, told(/sealed/));
    await service[Symbol.asyncDispose]();
    await clock.advance(10_000);
    await reach(clock, told(/ENOENT|ECONN/));
    await clock.advance(169_000);
    const write = { bytes: Buffer.from("hush!"), expectedRevision: revision };
    const { revision: second } = await opened.update(SECRETS, "a", write);
    await clock.advance(2_000);
    const lost = /^Cannot encrypt a value of core\/secrets: .*"vault" has not confirmed its key/;
    const unwritable = { name: "StoreError", code: "unwritable", message: lost };
    await assert.rejects(opened.create(SECRETS, "b", Buffer.from("hush")), unwritable);
    const late = { ...write, expectedRevision: second };
    await assert.rejects(opened.update(SECRETS, "a", late), unwritable);
    assert.equal(text((await opened.get(SECRETS, "a"))?.bytes), "hush!");
    await opened.create("core/configmaps", "other", Buffer.from("open"));
    await opened.delete(SECRETS, "a", second);

    service = await startKmsPlugin(socketPath, vault);
    await clock.advance(10_000);
    const written = () =>
      opened.create(SECRETS, "c", Buffer.from("hush")).then(
        () => true,
        () => false,
      );
    await reach(clock, written);
    await service[Symbol.asyncDispose]();
  }));

test("a service that is gone or stuck is told of, and asked again every ten seconds", () =>
  withService(async ({ socketPath, store, clock, vault, open }) => {
    let service = await startKmsPlugin(socketPath, vault);
    using encryption = await open();
    await using opened = await openLmdbStore({ directory: store, clock, encryption });
    const [check] = encryption?.checks ?? [];
    assert.equal(check?.name, "kms-provider-0");
    assert.equal(await check.check(), undefined);
    await service[Symbol.asyncDispose]();
    await clock.advance(60_000);
    await reach(clock, async () => (await check.check()) !== undefined);
    assert.match(`${await check.check()}`, /ENOENT|ECONNREFUSED/);
    await opened.create(SECRETS, "a", Buffer.from("written meanwhile"));
    assert.equal(text((await opened.get(SECRETS, "a"))?.bytes), "written meanwhile");

    service = await startKmsPlugin(socketPath, vault);
    await clock.advance(10_000);
    await reach(clock, async () => (await check.check()) === undefined);
    vault.isStuck = true;
    await clock.advance(60_000);
    await reach(clock, () => vault.calls.at(-1) === "Status" && vault.calls.length === 4);
    await clock.advance(3_000);
    await reach(clock, async () => (await check.check()) !== undefined);
    assert.equal(await check.check(), "no answer within 3 s");
    vault.isStuck = false;
    rotate(vault, "key-2");
    await clock.advance(10_000);
    await reach(clock, () => opened.isStale(SECRETS, "a"));
    await reach(clock, async () => (await check.check()) === undefined);
    await service[Symbol.asyncDispose]();
  }));

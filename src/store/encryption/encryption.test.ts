import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { describeStore } from "../conformance.ts";
import { isStoreError } from "../errors.ts";
import { openLmdbStore } from "../lmdb/lmdb-store.ts";
import type { Store } from "../store.ts";
import type { EncryptionSource } from "./encrypting-backend.ts";
import {
  createEncryptionRules,
  type EncryptionEntry,
  type EncryptionProvider,
  type EncryptionRules,
} from "./encryption-rules.ts";

const SECRETS = "core/secrets";
const TYPES = ["aesgcm", "aescbc", "secretbox"] as const;
const identity: EncryptionProvider = { type: "identity" };

function provider(type: (typeof TYPES)[number], ...names: string[]): EncryptionProvider {
  const keys = names.map((name) => ({ name, secret: Buffer.alloc(32, name) }));
  return { type, keys };
}

function rulesOf(...entries: EncryptionEntry[]): Promise<EncryptionRules> {
  return createEncryptionRules(entries, seededRandom(1));
}

function secretsBy(...providers: EncryptionProvider[]): Promise<EncryptionRules> {
  return rulesOf({ resources: ["secrets"], providers });
}

function temporaryDirectory(): { directory: string } & Disposable {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-encryption-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  return { directory, [Symbol.dispose]: remove };
}

async function openTemporary(rules: EncryptionRules): Promise<Store> {
  const { directory, ...folder } = temporaryDirectory();
  const store = await openLmdbStore({
    directory,
    clock: new VirtualClock(),
    encryption: { rules },
  });
  const close = store[Symbol.asyncDispose].bind(store);
  store[Symbol.asyncDispose] = async () => {
    await close();
    folder[Symbol.dispose]();
  };
  return store;
}

for (const type of TYPES) {
  describeStore({
    name: `LMDB with ${type}`,
    open: async () => {
      return openTemporary(await rulesOf({ resources: ["*.*"], providers: [provider(type, "a")] }));
    },
    propertyRuns: 5,
  });
}

test("no file of the store holds what is encrypted, in any state", async () => {
  using folder = temporaryDirectory();
  const { directory } = folder;
  const encryption = { rules: await secretsBy(provider("aescbc", "a")) };
  const store = await openLmdbStore({ directory, clock: new VirtualClock(), encryption });
  const { revision } = await store.create(SECRETS, "default/a", Buffer.from("first-password"));
  const bytes = Buffer.from("second-password");
  await store.update(SECRETS, "default/a", { bytes, expectedRevision: revision });
  await store.create("core/configmaps", "default/a", Buffer.from("nothing-to-hide"));
  const found = () => {
    const files = readdirSync(directory).map((name) => readFileSync(path.join(directory, name)));
    const all = Buffer.concat(files).toString("latin1");
    return ["first-password", "second-password", "nothing-to-hide", "k8s:enc:aescbc:v1:a:"].map(
      (text) => all.includes(text),
    );
  };
  assert.deepEqual(found(), [false, false, true, true]);
  await store[Symbol.asyncDispose]();
  assert.deepEqual(found(), [false, false, true, true]);
});

test("keys change in steps: the new one reads, then writes, then is alone", async () => {
  using folder = temporaryDirectory();
  const source: { rules: EncryptionRules } = { rules: await secretsBy(identity) };
  const options = { directory: folder.directory, clock: new VirtualClock(), encryption: source };
  await using store = await openLmdbStore(options);
  const read = async () => Buffer.from((await store.get(SECRETS, "a"))?.bytes ?? "").toString();
  const rewrite = async () => {
    const { revision = 0, bytes = Buffer.of() } = (await store.get(SECRETS, "a")) ?? {};
    await store.update(SECRETS, "a", { bytes, expectedRevision: revision });
  };
  await store.create(SECRETS, "a", Buffer.from("word"));
  assert.equal(store.isStale(SECRETS, "a"), false);
  const steps = [
    [provider("secretbox", "old"), identity],
    [provider("aesgcm", "new"), provider("secretbox", "old")],
    [provider("aesgcm", "newer", "new")],
    [identity, provider("aesgcm", "newer")],
    [identity],
  ];
  for (const step of steps) {
    source.rules = await secretsBy(...step);
    assert.equal(await read(), "word");
    if (step.length > 1 || step[0] !== identity) assert.equal(store.isStale(SECRETS, "a"), true);
    await rewrite();
    assert.equal(store.isStale(SECRETS, "a"), false);
    assert.equal(await read(), "word");
  }
  assert.equal(store.isStale(SECRETS, "absent"), false);
});

test("what cannot be read says which key is missing, and is never taken for plain", async () => {
  using folder = temporaryDirectory();
  const clock = new VirtualClock();
  const open = (encryption?: EncryptionSource) =>
    openLmdbStore({ directory: folder.directory, clock, encryption });
  const refused = async (rules: EncryptionRules | undefined, message: RegExp) => {
    await using store = await open(rules && { rules });
    for (const reading of [store.get(SECRETS, "default/a"), store.list(SECRETS)]) {
      await assert.rejects(reading, (error) => {
        assert.ok(isStoreError(error, "unreadable"));
        assert.match(error.message, message);
        return true;
      });
    }
  };
  {
    await using store = await open({ rules: await secretsBy(provider("aesgcm", "key1")) });
    await store.create(SECRETS, "default/a", Buffer.from("word"));
  }
  const missing = /^Cannot read "core\/secrets\/default\/a": no key .* "k8s:enc:aesgcm:v1:key1:"; /;
  await refused(undefined, missing);
  await refused(await secretsBy(identity), missing);
  await refused(await secretsBy(provider("aesgcm", "key2")), missing);
  const other = { name: "key1", secret: Buffer.alloc(32, "another") };
  await refused(await secretsBy({ type: "aesgcm", keys: [other] }), /does not decrypt it$/);
  {
    await using store = await open({ rules: await secretsBy(provider("aesgcm", "key1")) });
    const { revision } = (await store.get(SECRETS, "default/a")) ?? { revision: 0 };
    await store.delete(SECRETS, "default/a", revision);
  }
  {
    await using store = await open();
    await store.create(SECRETS, "default/a", Buffer.from("word"));
  }
  await refused(await secretsBy(provider("aescbc", "key1")), /it is not encrypted; list the prov/);
});

test("a value of AES-GCM opens only where it was stored", async () => {
  const encryption = (await secretsBy(provider("aesgcm", "a"))).for(SECRETS);
  const sealed = encryption.seal(Buffer.from("word"), "core/secrets/a");
  assert.equal(Buffer.from(encryption.open(sealed, "core/secrets/a")).toString(), "word");
  assert.throws(() => encryption.open(sealed, "core/secrets/b"), /does not decrypt it/);
  for (const length of [0, 8, 20, 30, sealed.length - 1]) {
    const cut = sealed.subarray(0, length);
    assert.throws(() => encryption.open(cut, "core/secrets/a"), { name: "StoreError" });
  }
});

test("the first entry that names a resource decides, and wildcards hide what follows", async () => {
  const rules = await rulesOf(
    { resources: ["secrets", "widgets.example.com"], providers: [provider("aesgcm", "exact")] },
    { resources: ["*.apps"], providers: [provider("aesgcm", "apps")] },
    { resources: ["deployments.apps"], providers: [provider("aesgcm", "hidden")] },
    { resources: ["secrets"], providers: [provider("aesgcm", "added")] },
    { resources: ["events"], providers: [identity] },
    { resources: ["*."], providers: [provider("aesgcm", "core")] },
    { resources: ["*.*"], providers: [provider("aesgcm", "rest")] },
    { resources: ["leases.coordination.k8s.io"], providers: [identity] },
  );
  const keyOf = (resource: string) => {
    const sealed = Buffer.from(rules.for(resource).seal(Buffer.from("x"), "")).toString("latin1");
    return sealed === "x" ? "" : sealed.split(":")[4];
  };
  const cases = {
    "core/secrets": "exact",
    "core/events": "",
    "core/pods": "core",
    "apps/deployments": "apps",
    "example.com/widgets": "exact",
    "example.com/others": "rest",
    "coordination.k8s.io/leases": "rest",
  };
  for (const [resource, key] of Object.entries(cases)) assert.equal(keyOf(resource), key, resource);
  const added = (
    await rulesOf({ resources: ["secrets"], providers: [provider("aesgcm", "added")] })
  )
    .for("core/secrets")
    .seal(Buffer.from("x"), "place");
  assert.equal(Buffer.from(rules.for("core/secrets").open(added, "place")).toString(), "x");
});

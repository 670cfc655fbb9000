// The API server with a KMS v2 plugin: what happens to Secrets as the plugin comes and goes.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { createKmsVault, rotate, startKmsPlugin } from "../../src/cmd/kms-plugin-fixture.ts";
import { outcomeOf } from "./instance-under-test.ts";
import { freePorts } from "../peers/free-ports.ts";
import { PeerProcess } from "../peers/peer-process.ts";
import { HEAP_ENVIRONMENT, NODE_FLAGS } from "../../src/cmd/up.ts";

const ENTRY = path.resolve(import.meta.dirname, "../../src/cmd/nephos.js");

test("Secrets outlive restarts and new keys of their plugin, and it is missed by name", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-kms-"));
  const socketPath = path.join(directory, "kms.sock");
  const file = path.join(directory, "encryption.json");
  const kms = { apiVersion: "v2", name: "vault", endpoint: `unix://${socketPath}` };
  const resources = [{ resources: ["secrets"], providers: [{ kms }] }];
  const kind = "EncryptionConfiguration";
  writeFileSync(
    file,
    JSON.stringify({ apiVersion: "apiserver.config.k8s.io/v1", kind, resources }),
  );
  const [port = 0] = await freePorts(1);
  const args = ["apiserver", `--data-dir=${directory}`, `--listen=127.0.0.1:${port}`];
  args.push(`--encryption-provider-config=${file}`);
  const env = { KUBECONFIG: path.join(directory, "kubeconfig"), HOME: directory };
  const kubectl = async (...words: string[]) => {
    const { code, stdout, stderr } = await outcomeOf("kubectl", words, { env });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const start = async () => {
    const server = PeerProcess.start({
      name: "nephos",
      file: process.execPath,
      environment: HEAP_ENVIRONMENT,
      args: [...NODE_FLAGS, ENTRY, ...args],
      log: path.join(directory, "nephos.log"),
    });
    const isReady = async () =>
      (await outcomeOf("kubectl", ["get", "--raw", "/readyz"], { env })).code === 0;
    await server.untilReady(isReady, { patienceMs: 30_000 });
    return server;
  };
  const wordOf = async (name: string) => {
    const text = await kubectl("get", "secret", name, "-o", "jsonpath={.data.word}");
    return Buffer.from(text, "base64").toString();
  };
  const create = (name: string) =>
    kubectl("create", "secret", "generic", name, `--from-literal=word=hush-${name}`);
  const stored = () => {
    const store = path.join(directory, "store");
    return readdirSync(store)
      .map((name) => readFileSync(path.join(store, name), "latin1"))
      .join("");
  };
  const vault = createKmsVault("key-1");
  try {
    const refused = await outcomeOf(process.execPath, [ENTRY, ...args]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Cannot use the KMS provider "vault": .*(ENOENT|ECONNREFUSED)/);

    const plugin = await startKmsPlugin(socketPath, vault);
    {
      await using _server = await start();
      await create("a");
      assert.match(await kubectl("get", "--raw", "/readyz?verbose"), /\[\+\]kms-provider-0 ok/);
      await plugin[Symbol.asyncDispose]();
      assert.equal(await wordOf("a"), "hush-a");
      await create("b");
    }
    assert.ok(!stored().includes(Buffer.from("hush-a").toString("base64")));
    assert.ok(stored().includes("key-1"));

    rotate(vault, "key-2");
    {
      await using _plugin = await startKmsPlugin(socketPath, vault);
      await using _server = await start();
      await create("c");
      assert.deepEqual(
        [await wordOf("a"), await wordOf("b"), await wordOf("c")],
        ["hush-a", "hush-b", "hush-c"],
      );
    }
    assert.ok(stored().includes("key-2"));

    vault.keyIds.delete("key-1");
    await using _plugin = await startKmsPlugin(socketPath, vault);
    const lost = await outcomeOf(process.execPath, [ENTRY, ...args]);
    assert.notEqual(lost.code, 0);
    assert.match(lost.stderr, /has not decrypted a seed under its key "key-1": .*was destroyed/);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

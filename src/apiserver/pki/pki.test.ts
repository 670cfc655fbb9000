import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes, X509Certificate } from "node:crypto";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import type { Clock } from "../../lib/clock.ts";
import { kubeconfigFor } from "./kubeconfig.ts";
import { ensurePki, type Pki, type PkiAddresses } from "./pki.ts";
import { PkiError } from "./pki-errors.ts";

const START = Date.now();
const DAY_MS = 86_400_000;
const ADDRESSES: PkiAddresses = {
  server: ["127.0.0.1", "192.0.2.7", "box"],
  serviceIp: "10.96.0.1",
  nodes: [{ name: "node-1", addresses: ["192.0.2.7"] }],
};

function clockAt(now: number): Clock {
  return { now: () => now, monotonicMs: () => now, setTimer: () => ({ cancel: () => {} }) };
}

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-pki-"));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function open(directory: string, more: { now?: number; addresses?: PkiAddresses } = {}) {
  return ensurePki(directory, {
    clock: clockAt(more.now ?? START),
    random: { float: Math.random, bytes: randomBytes },
    addresses: more.addresses ?? ADDRESSES,
  });
}

const serialOf = (certPem: string) => new X509Certificate(certPem).serialNumber;

test("a second start changes nothing, and only the owner reads the files", () =>
  inDirectory(async (directory) => {
    const first = await open(directory);
    const second = await open(directory);
    assert.deepEqual(second.server, first.server);
    assert.equal(second.ca.pem.certPem, first.ca.pem.certPem);
    for (const name of readdirSync(directory)) {
      assert.equal(statSync(path.join(directory, name)).mode & 0o777, 0o600, name);
    }
    assert.equal(statSync(directory).mode & 0o777, 0o700);
  }));

test("the server's names include the Service and every address", () =>
  inDirectory(async (directory) => {
    const { server } = await open(directory);
    const certificate = new X509Certificate(server.certPem);
    for (const name of ["kubernetes.default.svc.cluster.local", "localhost", "box"]) {
      assert.ok(certificate.checkHost(name), name);
    }
    for (const address of ["127.0.0.1", "10.96.0.1", "192.0.2.7"]) {
      assert.ok(certificate.checkIP(address), address);
    }
  }));

test("a leaf is renewed near its end and when names change; the authority stays", () =>
  inDirectory(async (directory) => {
    const first = await open(directory);
    const later = await open(directory, { now: START + 320 * DAY_MS });
    assert.notEqual(serialOf(later.server.certPem), serialOf(first.server.certPem));
    const moved = await open(directory, {
      now: START + 320 * DAY_MS,
      addresses: { ...ADDRESSES, server: ["198.51.100.9"] },
    });
    assert.notEqual(serialOf(moved.server.certPem), serialOf(later.server.certPem));
    assert.equal(serialOf(moved.admin.certPem), serialOf(later.admin.certPem));
    assert.equal(moved.ca.pem.certPem, first.ca.pem.certPem);
    assert.equal(moved.serviceAccountKeyPem, first.serviceAccountKeyPem);
  }));

test("an authority is never replaced silently", () =>
  inDirectory(async (directory) => {
    await open(directory);
    await assert.rejects(open(directory, { now: START + 4000 * DAY_MS }), {
      code: "authority-expired",
    });
    const key = readFileSync(path.join(directory, "ca.key"), "utf8");
    unlinkSync(path.join(directory, "ca.key"));
    await assert.rejects(
      open(directory),
      (error) => error instanceof PkiError && error.code === "authority-incomplete",
    );
    assert.ok(key.includes("PRIVATE KEY"));
  }));

test("a crash between key and certificate of a new authority is finished", () =>
  inDirectory(async (directory) => {
    await open(directory);
    for (const name of readdirSync(directory)) {
      if (name !== "ca.key") unlinkSync(path.join(directory, name));
    }
    const key = readFileSync(path.join(directory, "ca.key"), "utf8");
    assert.equal((await open(directory)).ca.pem.keyPem, key);
  }));

test("openssl verifies the chain of each leaf for its purpose", () =>
  inDirectory(async (directory) => {
    await open(directory);
    const verify = (purpose: string, name: string, ca = "ca.crt") =>
      execFileSync(
        "openssl",
        ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", ca, `${name}.crt`],
        { cwd: directory, encoding: "utf8" },
      );
    assert.match(verify("sslserver", "apiserver"), /OK/);
    assert.match(verify("sslserver", "node-node-1-serving"), /OK/);
    assert.match(verify("sslclient", "admin"), /OK/);
    assert.match(verify("sslclient", "front-proxy-client", "front-proxy-ca.crt"), /OK/);
  }));

async function handshake(pki: Pki, pair: { certPem: string; keyPem: string }): Promise<boolean> {
  const server = createServer({
    cert: pki.server.certPem,
    key: pki.server.keyPem,
    ca: pki.ca.pem.certPem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const accepted = new Promise<TLSSocket>((resolve) => server.once("secureConnection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const client = connect({ port, ca: pki.ca.pem.certPem, cert: pair.certPem, key: pair.keyPem });
  try {
    return (await accepted).authorized;
  } finally {
    client.destroy();
    (await accepted).destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

test("TLS trusts the cluster's certificates and no others", () =>
  inDirectory(async (directory) => {
    const pki = await open(directory);
    assert.equal(await handshake(pki, pki.admin), true);
    const tenant = { commonName: "jane", organizations: ["dev"], lifetimeMs: DAY_MS };
    assert.equal(await handshake(pki, pki.issueClientCertificate(tenant)), true);
    assert.equal(await handshake(pki, pki.frontProxyClient), false);
  }));

test("kubectl accepts the kubeconfig", () =>
  inDirectory(async (directory) => {
    const pki = await open(directory);
    const text = kubeconfigFor({
      server: "https://127.0.0.1:6443",
      caPem: pki.ca.pem.certPem,
      ...pki.admin,
      clusterName: "nephos",
    });
    const file = path.join(directory, "kubeconfig");
    writeFileSync(file, text, { mode: 0o600 });
    const parsed = execFileSync("kubectl", ["config", "view", "--minify", "--kubeconfig", file], {
      encoding: "utf8",
    });
    assert.match(parsed, /current-context: admin@nephos/);
    assert.match(parsed, /server: https:\/\/127.0.0.1:6443/);
  }));

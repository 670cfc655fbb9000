import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createTlsFixture } from "../../src/agent/stream/tls-fixture.ts";
import { eventually } from "./eventually.ts";
import { outcomeOf } from "./instance-under-test.ts";
import { fetchUnpacked, type UnpackedPackage, unpackedFile } from "./unpacked-package.ts";

const PACKAGE: UnpackedPackage = {
  name: "docker-registry",
  folder: "docker-registry",
  version: "2.",
};
const SKOPEO = "/usr/bin/skopeo";

/** The registry of Docker itself, on a port of its own. */
export interface DockerRegistry extends AsyncDisposable {
  /** "127.0.0.1:5001". */
  readonly host: string;
  /** PEM of the authority of its certificate, if it speaks TLS. */
  readonly certificate: string | undefined;
  /** Pushes an OCI archive with skopeo; returns the digest of its manifest. */
  push(archive: string, name: string, compression?: "zstd" | "zstd:chunked"): Promise<string>;
}

/** How it is reached; `user` with the password "secret". */
export interface DockerRegistryOptions {
  port: number;
  user?: string;
  tls?: boolean;
}

/** Makes the registry present, as far as apt can. */
export function fetchDockerRegistry(): Promise<void> {
  return fetchUnpacked(PACKAGE);
}

/** Why tests with it have to be skipped. */
export function withoutDockerRegistry(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  if (!unpackedFile(PACKAGE, "usr/bin/docker-registry")) return "needs Debian's docker-registry";
  return existsSync(SKOPEO) ? false : "needs the package skopeo";
}

/** bcrypt of "secret": the registry takes no other hash, and Node.js has none of it. */
const PASSWORD_HASH = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/** Resolves when it answers; disposing it removes what it stored. */
export async function startDockerRegistry(options: DockerRegistryOptions): Promise<DockerRegistry> {
  const { port, user, tls = false } = options;
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-registry-"));
  const host = `127.0.0.1:${port}`;
  const file = (name: string) => path.join(directory, name);
  mkdirSync(file("data"));
  if (user) writeFileSync(file("htpasswd"), `${user}:${PASSWORD_HASH}\n`);
  const authority = tls ? createTlsFixture(Date.now()) : undefined;
  const pair = authority?.issue("registry", { usage: "server" });
  if (pair) {
    writeFileSync(file("cert.pem"), pair.certPem);
    writeFileSync(file("key.pem"), pair.keyPem);
  }
  const http = {
    addr: host,
    secret: "none",
    ...(tls && { tls: { certificate: file("cert.pem"), key: file("key.pem") } }),
  };
  const configuration = {
    version: "0.1",
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: file("data") } },
    http,
    ...(user && { auth: { htpasswd: { realm: "test", path: file("htpasswd") } } }),
  };
  // JSON is YAML, too.
  writeFileSync(file("config.yml"), JSON.stringify(configuration));
  const program = unpackedFile(PACKAGE, "usr/bin/docker-registry");
  assert.ok(program);
  const args = ["--pdeathsig", "KILL", program, "serve", file("config.yml")];
  const child = spawn("setpriv", args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => (said += String(chunk)));
  await eventually("the registry listens", async () => {
    assert.equal(child.exitCode, null, said);
    return await isUp(port);
  });
  return {
    host,
    certificate: authority?.caPem,
    async push(archive, name, compression) {
      const format = compression ? ["--dest-compress-format", compression] : [];
      const login = user ? ["--dest-creds", `${user}:secret`] : [];
      const flags = ["--insecure-policy", "copy", "--dest-tls-verify=false", ...login];
      const digestFile = file("digest");
      const { code, stderr } = await outcomeOf(SKOPEO, [
        ...flags,
        ...format,
        "--digestfile",
        digestFile,
        `oci-archive:${archive}`,
        `docker://${host}/${name}`,
      ]);
      assert.equal(code, 0, stderr);
      return readFileSync(digestFile, "utf8").trim();
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}

function isUp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

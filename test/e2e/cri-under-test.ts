import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type CriClient, connectCri } from "../../src/agent/cri-client.ts";
import type * as cri from "../../src/format/cri/generated.ts";
import type { Outgoing } from "../../src/format/protobuf/message-codec.ts";
import { readMounts, unmountBelow } from "../../src/sys/mount.ts";
import { type InstanceUnderTest, prepareInstance } from "./instance-under-test.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

/** `nephos cri` in a data directory of its own. */
export interface CriUnderTest extends AsyncDisposable {
  readonly instance: InstanceUnderTest;
  /** For what a kubelet has, which a purge leaves alone. */
  readonly directory: string;
  readonly socketPath: string;
  readonly kubeletDirectory: string;
  /** Connected to the server that runs now. */
  client(): CriClient;
  /** Kills the server without warning and starts another one. */
  restart(): Promise<void>;
}

/** Starts a server; disposing it purges everything and asserts that nothing is left. */
export async function startCri(...flags: string[]): Promise<CriUnderTest> {
  const instance = prepareInstance();
  const { dataDirectory } = instance;
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-kubelet-")));
  const socketPath = path.join(directory, "cri.sock");
  const kubeletDirectory = path.join(directory, "kubelet");
  const own = ["--socket", socketPath, "--kubelet-dir", kubeletDirectory];
  const start = async (): Promise<ChildProcess> => {
    const args = ["cri", "--data-dir", dataDirectory, ...own, ...flags];
    // It must not outlive a test that is killed.
    const bound = ["--pdeathsig", "KILL", path.join(ROOT, "bin/nephos"), ...args];
    const child = spawn("setpriv", bound, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk) => (said += String(chunk)));
    await Promise.race([
      once(child.stdout, "data"),
      once(child, "exit").then(() => assert.fail(`nephos cri ended: ${said}`)),
    ]);
    return child;
  };
  let server = await start();
  let client = connectCri(socketPath);
  const kill = async (signal: NodeJS.Signals) => {
    await client[Symbol.asyncDispose]();
    const ended = once(server, "exit");
    server.kill(signal);
    await ended;
  };
  return {
    instance,
    directory,
    socketPath,
    kubeletDirectory,
    client: () => client,
    async restart() {
      await kill("SIGKILL");
      server = await start();
      client = connectCri(socketPath);
    },
    async [Symbol.asyncDispose]() {
      await kill("SIGTERM");
      // What a kubelet that is killed leaves mounted is not the runtime's.
      unmountBelow(path.join(kubeletDirectory, "pods"));
      try {
        await instance[Symbol.asyncDispose]();
        const left = readMounts().filter(({ target }) => target.startsWith(`${directory}/`));
        assert.deepEqual(left, []);
      } finally {
        unmountBelow(directory);
        rmSync(directory, { recursive: true, force: true });
      }
    },
  };
}

type SandboxConfig = Outgoing<cri.PodSandboxConfig>;

/** A sandbox's config; each name is another pod. */
export function sandboxConfig(name: string, more: SandboxConfig = {}): SandboxConfig {
  return {
    metadata: { name, uid: `uid-of-${name}`, namespace: "default", attempt: 0 },
    hostname: name,
    labels: { pod: name },
    annotations: { note: "kept as it is" },
    dnsConfig: { servers: ["192.0.2.53"], searches: ["example.org"], options: ["ndots:2"] },
    linux: { securityContext: { namespaceOptions: { pid: 1 } } },
    ...more,
  };
}

import path from "node:path";
import { makeScratchDirectory } from "../../scripts/scratch-directory.ts";
import { shippedRuntime } from "../../scripts/shipped-runtime.ts";
import { HEAP_ENVIRONMENT, NODE_FLAGS } from "../../src/cmd/up.ts";
import { ensurePki } from "../../src/apiserver/pki/pki.ts";
import { Cleanup } from "../../src/lib/cleanup.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { systemRandom } from "../../src/sys/random.ts";
import { freePorts } from "./free-ports.ts";
import { PeerProcess } from "./peer-process.ts";
import { isReady, type ServerUnderTest, targetAt } from "./server-under-test.ts";

const ENTRY = path.resolve(import.meta.dirname, "../../src/cmd/nephos.js");
const PATIENCE_MS = 30_000;

/** What may differ from one use to another. */
export interface NephosApiServerOptions {
  /** Flags of `nephos apiserver`. */
  flags?: readonly string[];
}

/** Starts our API server alone, in a process of its own. */
export async function startNephosApiServer(
  options: NephosApiServerOptions = {},
): Promise<ServerUnderTest> {
  await using cleanup = new Cleanup();
  const { path: directory } = cleanup.use(makeScratchDirectory("nephos-peer"));
  const [port = 0] = await freePorts(1);
  const pki = await ensurePki(path.join(directory, "pki"), {
    clock: systemClock,
    random: systemRandom,
    addresses: { server: ["127.0.0.1", "10.96.0.1"], serviceIp: "10.96.0.1", nodes: [] },
  });
  const listen = `--listen=127.0.0.1:${port}`;
  // Parts of 1.20 look in discovery for the versions that they were written for.
  const settings = ["--pod-security=privileged", "--legacy-apis"];
  const own = ["apiserver", `--data-dir=${directory}`, listen, ...settings];
  const server = cleanup.use(
    PeerProcess.start({
      name: "nephos",
      file: shippedRuntime(),
      environment: HEAP_ENVIRONMENT,
      args: [...NODE_FLAGS, ENTRY, ...own, ...(options.flags ?? [])],
      log: path.join(directory, "nephos.log"),
    }),
  );
  const target = targetAt(port, pki);
  await server.untilReady(() => isReady(target), { patienceMs: PATIENCE_MS });
  const running = cleanup.move();
  return {
    name: "Nephos",
    directory,
    kubeconfig: path.join(directory, "kubeconfig"),
    target,
    pki,
    pids: { nephos: server.pid },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

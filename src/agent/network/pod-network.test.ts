import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { silentLogger } from "../../lib/logger.ts";
import {
  createNetworkNamespace,
  removeNetworkNamespace,
  withinNetworkNamespace,
} from "../../sys/network-namespace.ts";
import { NETWORK_FAILPOINTS } from "./failpoints.ts";
import { createPodNetwork, type PodHostPort } from "./pod-network.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";

function run(namespace: string, command: string): string {
  const result = spawnSync("nsenter", [`--net=${namespace}`, "bash", "-c", command], {
    encoding: "utf8",
    timeout: 5_000,
  });
  return result.stdout + result.stderr;
}

/** Greets on port 7000 inside the namespace until disposed. */
async function greeter(namespace: string): Promise<Disposable> {
  const program = `require("net").createServer((s) => s.end("hello from " + s.remoteAddress))
    .listen(7000, "0.0.0.0", () => console.log("ready"))`;
  const child = spawn("nsenter", [`--net=${namespace}`, process.execPath, "-e", program]);
  await once(child.stdout, "data");
  return { [Symbol.dispose]: () => child.kill("SIGKILL") };
}

test("pods reach the node and each other, survive a restart, and leave nothing", {
  skip,
}, async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-network-"));
  const node = path.join(directory, "node");
  createNetworkNamespace(node);
  let announced: readonly PodHostPort[] = [];
  const open = () =>
    withinNetworkNamespace(node, () =>
      createPodNetwork({
        runDirectory: path.join(directory, "run"),
        podCidr: "10.231.0.0/24",
        linkPrefix: "npt",
        localAddresses: ["10.96.0.10"],
        onHostPorts: (ports) => {
          announced = ports;
        },
        logger: silentLogger,
      }),
    );
  try {
    const network = open();
    await network.recover(new Set());
    const request = { podName: "p", podNamespace: "default", hostPorts: [] };
    const hostPorts = [{ hostPort: 8080, containerPort: 80, protocol: "TCP" as const }];
    const attach = (podUid: string, ports: typeof hostPorts | []) =>
      withinNetworkNamespace(node, () => network.attach({ ...request, podUid, hostPorts: ports }));
    const one = await attach("one", []);
    const countLinks = () => run(node, "ip -o link 2> /dev/null | grep -c npt").trim();
    // Twice is once.
    for (let i = 0; i < 2; i++) withinNetworkNamespace(node, () => network.prepareNext(true));
    const made = countLinks();
    assert.equal(made, "2", "the first pod's, and the next one's");
    const two = await attach("two", hostPorts);
    assert.equal(countLinks(), made, "the link was made ahead");
    await attach("three", []);
    withinNetworkNamespace(node, () => network.prepareNext(true));
    assert.equal(countLinks(), "3", "none is made ahead while many pods come");
    await network.detach("three");
    assert.notEqual(two.ip, one.ip);
    const queues = run(one.networkNamespacePath, "ip -d link show eth0; ip -d link show lo");
    assert.match(queues, /eth0@.* numtxqueues 1 numrxqueues 1 /s, "none is made to be given up");
    assert.equal(announced[0]?.podIp, two.ip);
    {
      using _greeter = await greeter(two.networkNamespacePath);
      const fetch = `cat < /dev/tcp/${two.ip}/7000`;
      assert.equal(run(one.networkNamespacePath, fetch), `hello from ${one.ip}`);
      assert.equal(run(node, fetch), "hello from 10.231.0.1");
      const socket = await network.connect("two", { host: "localhost", port: 7000 });
      const [greeting] = (await once(socket, "data")) as [Buffer];
      assert.equal(greeting.toString(), "hello from 127.0.0.1");
      socket.destroy();
    }
    await assert.rejects(network.connect("one", { host: "localhost", port: 81 }), {
      code: "ECONNREFUSED",
    });
    await network[Symbol.asyncDispose]();

    const again = open();
    await again.recover(new Set(["two"]));
    assert.equal(again.attachment("two")?.ip, two.ip);
    assert.equal(again.attachment("one"), undefined);
    assert.equal(announced.length, 1);
    await again.detach("two");
    await again.detach("two");
    assert.equal(announced.length, 0);
    for (let round = 0; round < 3; round++) {
      // The kernel may still be taking away what the pod had before.
      await withinNetworkNamespace(node, () => again.attach({ ...request, podUid: "two" }));
      await again.detach("two");
    }
    assert.deepEqual(readdirSync(path.join(directory, "run/netns")), []);
    // The kernel frees a namespace on its own time; a hang here means that it never does.
    run(node, "while ip -o link | grep -q npt; do :; done");
    await again[Symbol.asyncDispose]();
  } finally {
    removeNetworkNamespace(node);
    rmSync(directory, { recursive: true });
  }
});

/** An agent that attaches a pod and detaches it, and dies at one place of that. */
const DYING_AGENT = `
  const { createPodNetwork } = await import("./pod-network.js");
  const { directory, place, isAhead } = JSON.parse(process.argv[1]);
  let isArmed = !isAhead;
  const request = { podName: "p", podNamespace: "default", hostPorts: [] };
  const network = createPodNetwork({
    runDirectory: directory + "/run",
    podCidr: "10.231.0.0/24",
    linkPrefix: "npf",
    localAddresses: [],
    failpoint: (name) => isArmed && name === place && process.kill(process.pid, "SIGKILL"),
    logger: {},
  });
  await network.recover(new Set());
  if (isAhead) {
    await network.attach({ ...request, podUid: "first" });
    isArmed = true;
    network.prepareNext(true);
  }
  await network.attach({ ...request, podUid: "pod" });
  await network.detach("pod");
`;

const OF_ONE_MADE_AHEAD: readonly string[] = ["network-spare", "network-adopted"];

/** Each place once, and again those after which a link that was made ahead is another one. */
const DEATHS = [
  ...NETWORK_FAILPOINTS.map((place) => ({ place, isAhead: OF_ONE_MADE_AHEAD.includes(place) })),
  { place: "network-link", isAhead: true },
  { place: "network-record", isAhead: true },
  { place: "network-removed", isAhead: true },
];

test("wherever an agent dies, the next one gives the pod its network and leaves nothing", {
  skip,
}, async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-network-"));
  const node = path.join(directory, "node");
  createNetworkNamespace(node);
  const pod = { podUid: "pod", podName: "p", podNamespace: "default", hostPorts: [] };
  const inRun = (name: string) => readdirSync(path.join(directory, "run", name));
  try {
    for (const [at, { place, isAhead }] of DEATHS.entries()) {
      const argument = JSON.stringify({ directory, place, isAhead });
      const flags = ["--input-type=module", "-e", DYING_AGENT, argument];
      const died = spawnSync("nsenter", [`--net=${node}`, process.execPath, ...flags], {
        cwd: import.meta.dirname,
        encoding: "utf8",
      });
      assert.equal(died.signal ?? died.status, "SIGKILL", `${place}: ${died.stderr}`);
      const network = withinNetworkNamespace(node, () =>
        createPodNetwork({
          runDirectory: path.join(directory, "run"),
          podCidr: "10.231.0.0/24",
          linkPrefix: "npf",
          localAddresses: [],
          logger: silentLogger,
        }),
      );
      // Every other time the pod was deleted meanwhile.
      const isWanted = at % 2 === 0;
      await network.recover(new Set(isWanted ? ["pod"] : []));
      if (isWanted) {
        const { ip } = await withinNetworkNamespace(node, () => network.attach(pod));
        // The pod itself answers that nobody listens.
        assert.match(run(node, `cat < /dev/tcp/${ip}/7000`), /Connection refused/, place);
        await network.detach("pod");
      }
      assert.deepEqual([...inRun("netns"), ...inRun("links")], [], place);
      run(node, "while ip -o link | grep -q npf; do :; done");
      assert.equal(run(node, "ip route show 10.231.0.0/24; ip -o link | grep npf"), "", place);
      await network[Symbol.asyncDispose]();
    }
  } finally {
    removeNetworkNamespace(node);
    rmSync(directory, { recursive: true });
  }
});

// The Container Runtime Interface as a client of gRPC sees it, containers and all.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import type * as cri from "../../src/format/cri/generated.ts";
import type { GrpcCode } from "../../src/format/grpc/grpc-status.ts";
import type { Outgoing } from "../../src/format/protobuf/message-codec.ts";
import { BUSYBOX, busyboxArchive, importBusybox } from "./busybox-image.ts";
import { type CriUnderTest, sandboxConfig, startCri } from "./cri-under-test.ts";
import { startDockerRegistry, withoutDockerRegistry } from "./docker-registry.ts";
import { eventually } from "./eventually.ts";
import { askHttp } from "./http-answer.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const READY = 0;
const NOT_READY = 1;
const CREATED = 0;
const RUNNING = 1;
const EXITED = 2;
const NOT_FOUND = { code: "not-found" };

let server: CriUnderTest;

before(async () => {
  if (skip) return;
  server = await startCri("--pod-cidr", "10.244.7.0/24");
  await importBusybox(server.instance);
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
});

const client = () => server.client();

async function runSandbox(name: string, more: Outgoing<cri.PodSandboxConfig> = {}) {
  const logDirectory = path.join(server.directory, "logs", name);
  const config = sandboxConfig(name, { logDirectory, ...more });
  const { podSandboxId } = await client().call("RuntimeService/RunPodSandbox", { config });
  return podSandboxId;
}

async function create(
  podSandboxId: string,
  script: string,
  more: Outgoing<cri.ContainerConfig> = {},
): Promise<string> {
  const { containerId } = await client().call("RuntimeService/CreateContainer", {
    podSandboxId,
    config: {
      metadata: { name: "main", attempt: 0 },
      image: { image: BUSYBOX },
      command: ["sh", "-c", script],
      logPath: "main/0.log",
      labels: { container: "main" },
      ...more,
    },
  });
  return containerId;
}

async function start(...args: Parameters<typeof create>): Promise<string> {
  const containerId = await create(...args);
  await client().call("RuntimeService/StartContainer", { containerId });
  return containerId;
}

async function statusOf(containerId: string): Promise<cri.ContainerStatus> {
  const { status } = await client().call("RuntimeService/ContainerStatus", { containerId });
  assert.ok(status);
  return status;
}

async function remove(podSandboxId: string): Promise<void> {
  await client().call("RuntimeService/RemovePodSandbox", { podSandboxId });
}

async function output(containerId: string, ...cmd: string[]): Promise<string> {
  const answer = await client().call("RuntimeService/ExecSync", { containerId, cmd, timeout: 20 });
  assert.equal(answer.exitCode, 0, `${cmd.join(" ")}: ${Buffer.from(answer.stderr).toString()}`);
  return Buffer.from(answer.stdout).toString();
}

test("a container lives as its caller says, and stops are idempotent", { skip }, async () => {
  const sandbox = await runSandbox("life");
  const container = await create(
    sandbox,
    "trap 'exit 3' TERM; echo hello; while :; do sleep 0.1; done",
  );
  assert.equal((await statusOf(container)).state, CREATED);
  await client().call("RuntimeService/StartContainer", { containerId: container });
  const running = await statusOf(container);
  assert.deepEqual(
    [running.state, running.labels, running.image?.image],
    [RUNNING, { container: "main" }, BUSYBOX],
  );
  assert.ok(running.startedAt >= running.createdAt && running.createdAt > 0);
  await eventually("the log has a line", () =>
    /^\S+ stdout F hello\n/.test(readFileSync(running.logPath, "utf8")),
  );
  for (let time = 0; time < 2; time++) {
    await client().call("RuntimeService/StopContainer", { containerId: container, timeout: 10 });
  }
  const ended = await statusOf(container);
  assert.deepEqual([ended.state, ended.exitCode, ended.reason], [EXITED, 3, "Error"]);
  for (let time = 0; time < 2; time++) {
    await client().call("RuntimeService/StopPodSandbox", { podSandboxId: sandbox });
  }
  const { status } = await client().call("RuntimeService/PodSandboxStatus", {
    podSandboxId: sandbox,
  });
  assert.equal(status?.state, NOT_READY);
  for (let time = 0; time < 2; time++) await remove(sandbox);
  await assert.rejects(statusOf(container), NOT_FOUND);
  await client().call("RuntimeService/StopContainer", { containerId: container });
  await client().call("RuntimeService/RemoveContainer", { containerId: container });
  assert.ok(existsSync(running.logPath), "the log is the caller's");
});

test("a sandbox has the names, addresses and settings that it was given", { skip }, async () => {
  const linux = {
    securityContext: { namespaceOptions: { pid: 1 } },
    sysctls: { "net.ipv4.ip_unprivileged_port_start": "1000" },
  };
  const portMappings = [{ hostPort: 18_081, containerPort: 8080 }];
  const sandbox = await runSandbox("named", { linux, portMappings });
  const { status } = await client().call("RuntimeService/PodSandboxStatus", {
    podSandboxId: sandbox,
  });
  assert.match(status?.network?.ip ?? "", /^10\.244\.7\.\d+$/);
  assert.deepEqual(status?.annotations, { note: "kept as it is" });
  const container = await start(sandbox, "echo up > /tmp/index.html; httpd -f -p 8080 -h /tmp");
  assert.equal(await output(container, "hostname"), "named\n");
  const resolver = "search example.org\nnameserver 192.0.2.53\noptions ndots:2\n";
  assert.equal(await output(container, "cat", "/etc/resolv.conf"), resolver);
  const sysctl = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  assert.equal(await output(container, "cat", sysctl), "1000\n");
  for (const host of ["192.0.2.2", "127.0.0.1"]) {
    const url = `http://${host}:18081/index.html`;
    await eventually(`${url} answers`, async () => (await askHttp(url)).body === "up\n");
  }
  await remove(sandbox);
});

test("a sandbox may have the node's network and processes", { skip }, async () => {
  const securityContext = { namespaceOptions: { network: 2, pid: 2, ipc: 2 } };
  const sandbox = await runSandbox("node-wide", { hostname: "", linux: { securityContext } });
  const container = await start(sandbox, "sleep 1000");
  const links = readFileSync("/proc/net/dev", "utf8").split("\n").slice(2);
  const seen = (await output(container, "cat", "/proc/net/dev")).split("\n").slice(2);
  const names = (lines: string[]) => lines.map((line) => line.split(":")[0]);
  assert.deepEqual(names(seen), names(links));
  assert.ok(await output(container, "ls", `/proc/${process.pid}`));
  await remove(sandbox);
});

test("containers of a sandbox may see each other's processes", { skip }, async () => {
  const linux = { securityContext: { namespaceOptions: { pid: 0 } } };
  const sandbox = await runSandbox("shared-processes", { linux });
  await start(sandbox, "exec sleep 4321");
  const sees = await start(sandbox, "exec sleep 1234", { metadata: { name: "second" } });
  const script = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '";
  assert.match(await output(sees, "sh", "-c", script), /sleep 4321/);
  await remove(sandbox);
});

test("mounts, users, variables and limits reach the container", { skip }, async () => {
  const source = path.join(server.directory, "volume");
  mkdirSync(source);
  writeFileSync(path.join(source, "file"), "from the host\n");
  const sandbox = await runSandbox("configured");
  const container = await start(sandbox, "sleep 1000", {
    envs: [{ key: "GREETING", value: "hi there" }],
    workingDir: "/tmp",
    mounts: [{ hostPath: source, containerPath: "/volume", readonly: true }],
    linux: {
      resources: { memoryLimitInBytes: 64 << 20, oomScoreAdj: 500 },
      securityContext: {
        runAsUser: { value: 1000 },
        runAsGroup: { value: 2000 },
        supplementalGroups: [3000],
        readonlyRootfs: true,
        noNewPrivs: true,
        capabilities: { dropCapabilities: ["ALL"] },
        seccomp: { profileType: 0 },
        maskedPaths: ["/proc/kcore"],
        readonlyPaths: ["/proc/sys"],
      },
    },
  });
  const script = 'cat /volume/file; id -u; id -g; echo "$GREETING"; cat /proc/1/oom_score_adj';
  assert.equal(
    await output(container, "sh", "-c", script),
    "from the host\n1000\n2000\nhi there\n500\n",
  );
  const status = await output(container, "cat", "/proc/self/status");
  assert.match(status, /^CapBnd:\s0+$/m);
  assert.match(status, /^NoNewPrivs:\s1$/m);
  assert.match(status, /^Seccomp:\s2$/m);
  assert.match(status, /^Groups:\s2000 3000 $/m);
  await client().call("RuntimeService/UpdateContainerResources", {
    containerId: container,
    linux: { memoryLimitInBytes: 128 << 20 },
  });
  assert.equal((await statusOf(container)).resources?.linux?.memoryLimitInBytes, 128 << 20);
  const { stats } = await client().call("RuntimeService/ContainerStats", {
    containerId: container,
  });
  assert.ok((stats?.memory?.workingSetBytes?.value ?? 0) > 0);
  await remove(sandbox);
});

test("a sandbox may have users of its own, and volumes that are mapped for them", {
  skip: skip || (existsSync("/usr/bin/crun") ? false : "needs the package crun"),
}, async () => {
  const source = path.join(server.directory, "mapped");
  mkdirSync(source);
  writeFileSync(path.join(source, "file"), "of the root of the node\n", { mode: 0o600 });
  const range = [{ hostId: 131_072_000, containerId: 0, length: 65_536 }];
  const usernsOptions = { mode: 0, uids: range, gids: range };
  const linux = { securityContext: { namespaceOptions: { pid: 1, usernsOptions } } };
  const sandbox = await runSandbox("own-users", { linux });
  const container = await start(sandbox, "sleep 1000", {
    mounts: [
      { hostPath: source, containerPath: "/mapped", uidMappings: range, gidMappings: range },
      { hostPath: source, containerPath: "/plain" },
    ],
    linux: { securityContext: { supplementalGroups: [3000], supplementalGroupsPolicy: 1 } },
  });
  const map = await output(container, "cat", "/proc/self/uid_map");
  assert.match(map, /^\s+0\s+131072000\s+65536\n$/);
  const script = "id -u; id -G; cat /mapped/file; stat -c %u /mapped/file /plain/file";
  const said = "0\n0 3000\nof the root of the node\n0\n65534\n";
  assert.equal(await output(container, "sh", "-c", script), said);
  await server.restart();
  assert.equal(await output(container, "id", "-u"), "0\n");
  await remove(sandbox);
  const { runtimeHandlers, features } = await client().call("RuntimeService/Status", {});
  assert.equal(features?.supplementalGroupsPolicy, true);
  const own = runtimeHandlers.filter((handler) => handler.features?.userNamespaces);
  assert.deepEqual(own.map(({ name }) => name).toSorted(), ["", "crun"]);
});

test("a command that is not there fails its start, not its creation", { skip }, async () => {
  const sandbox = await runSandbox("broken");
  const container = await create(sandbox, "", { command: ["/bin/absent"] });
  const starting = client().call("RuntimeService/StartContainer", { containerId: container });
  await assert.rejects(starting, /executable file not found/);
  const { state, exitCode, reason } = await statusOf(container);
  assert.deepEqual([state, exitCode, reason], [EXITED, 128, "StartError"]);
  await remove(sandbox);
});

test("a killed server loses nothing: its successor finds what runs and what ended", {
  skip,
}, async () => {
  const sandbox = await runSandbox("survivor");
  const goesOn = await start(sandbox, "while :; do sleep 0.1; done");
  const ends = await start(sandbox, "sleep 0.5; exit 7", { metadata: { name: "short" } });
  await server.restart();
  const listed = await client().call("RuntimeService/ListPodSandbox", {
    filter: { labelSelector: { pod: "survivor" }, state: { state: READY } },
  });
  assert.deepEqual(
    listed.items.map(({ id }) => id),
    [sandbox],
  );
  assert.equal((await statusOf(goesOn)).state, RUNNING);
  await eventually("the end is seen", async () => (await statusOf(ends)).state === EXITED);
  assert.equal((await statusOf(ends)).exitCode, 7);
  assert.equal(await output(goesOn, "hostname"), "survivor\n");
  await remove(sandbox);
  const { containers } = await client().call("RuntimeService/ListContainers", {});
  assert.deepEqual(containers, []);
});

test("a command can be run over a WebSocket, under a URL that serves once", { skip }, async () => {
  const sandbox = await runSandbox("streams");
  const container = await start(sandbox, "sleep 1000");
  const { url } = await client().call("RuntimeService/Exec", {
    containerId: container,
    cmd: ["sh", "-c", "echo streamed; exit 5"],
    stdout: true,
    stderr: true,
  });
  const messages = await framesOf(url);
  const channel = (wanted: number) =>
    Buffer.concat(messages.filter(([id]) => id === wanted).map((bytes) => bytes.subarray(1)));
  assert.equal(channel(1).toString(), "streamed\n");
  assert.match(channel(3).toString(), /"ExitCode","message":"5"/);
  await assert.rejects(framesOf(url), /404/);
  await remove(sandbox);
});

function framesOf(url: string): Promise<Buffer[]> {
  const socket = new WebSocket(url.replace("http", "ws"), "v4.channel.k8s.io");
  const messages: Buffer[] = [];
  socket.on("message", (message: Buffer) => messages.push(message));
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => resolve(messages));
  });
}

for (const runtimeHandler of ["", "runsc"]) {
  const isMissing = runtimeHandler === "runsc" && !existsSync("/usr/bin/runsc");
  test(`attach, logs that go on in a new file, and figures: ${runtimeHandler || "default"}`, {
    skip: skip || (isMissing && "needs the package runsc"),
  }, async () => {
    const name = `attached${runtimeHandler}`;
    const logDirectory = path.join(server.directory, "logs", name);
    const { podSandboxId: sandbox } = await client().call("RuntimeService/RunPodSandbox", {
      config: sandboxConfig(name, { logDirectory }),
      runtimeHandler,
    });
    const script = "while read line; do echo got $line; done; echo end";
    const container = await start(sandbox, script, { stdin: true });
    const { url } = await client().call("RuntimeService/Attach", {
      containerId: container,
      stdin: true,
      stdout: true,
      stderr: true,
    });
    const socket = new WebSocket(url.replace("http", "ws"), "v4.channel.k8s.io");
    let said = "";
    socket.on("message", (message: Buffer) => {
      if (message[0] === 1) said += message.subarray(1).toString();
    });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const type = (text: string) => socket.send(Buffer.from(`\0${text}\n`));
    type("one");
    await eventually("the first line is back", () => said === "got one\n");
    const { logPath } = await statusOf(container);
    renameSync(logPath, `${logPath}.1`);
    await client().call("RuntimeService/ReopenContainerLog", { containerId: container });
    type("two");
    await eventually("the second line is back", () => said === "got one\ngot two\n");
    const lines = (file: string) =>
      readFileSync(file, "utf8").replace(/^\S+ /gm, "").trimEnd().split("\n");
    await eventually("the second line is logged", () => existsSync(logPath) && lines(logPath)[0]);
    assert.deepEqual(lines(`${logPath}.1`), ["stdout F got one"]);
    assert.deepEqual(lines(logPath), ["stdout F got two"]);
    assert.match(await output(container, "cat", "/proc/version"), /^Linux version/);
    const { stats } = await client().call("RuntimeService/ListPodSandboxStats", {
      filter: { id: sandbox },
    });
    assert.ok((stats[0]?.linux?.memory?.workingSetBytes?.value ?? 0) > 0);
    socket.close();
    const stop = { containerId: container, timeout: 0 };
    await client().call("RuntimeService/StopContainer", stop);
    await assert.rejects(
      client().call("RuntimeService/ReopenContainerLog", { containerId: container }),
    );
    await remove(sandbox);
  });
}

test("an image is pulled with the credentials of the call, and runs by what it is told it is", {
  skip: withoutDockerRegistry(),
}, async () => {
  await using registry = await startDockerRegistry({ port: 5002, user: "me" });
  const archive = path.join(server.directory, "pulled.tar");
  writeFileSync(archive, busyboxArchive({ name: "pulled:1", entries: [] }));
  const digest = await registry.push(archive, "pulled:1");
  const image = { image: `${registry.host}/pulled:1` };
  await assert.rejects(client().call("ImageService/PullImage", { image }), /401/);
  const missing = { image: `${registry.host}/absent:1` };
  const auth = { username: "me", password: "secret" };
  await assert.rejects(
    client().call("ImageService/PullImage", { image: missing, auth }),
    NOT_FOUND,
  );
  const { imageRef } = await client().call("ImageService/PullImage", { image, auth });
  const { image: found } = await client().call("ImageService/ImageStatus", { image });
  assert.deepEqual(
    [found?.id, found?.repoTags, found?.repoDigests],
    [imageRef, [image.image], [`${registry.host}/pulled@${digest}`]],
  );
  const sandbox = await runSandbox("pulled");
  const container = await start(sandbox, "sleep 1000", { image: { image: imageRef } });
  assert.equal((await statusOf(container)).state, RUNNING);
  await remove(sandbox);
  await client().call("ImageService/RemoveImage", { image: { image: imageRef } });
  assert.equal((await client().call("ImageService/ImageStatus", { image })).image, undefined);
});

test("events tell what becomes of containers", { skip }, async () => {
  const seen: string[] = [];
  const names = ["created", "started", "stopped", "deleted"];
  const watching = client().call(
    "RuntimeService/GetContainerEvents",
    {},
    {
      onMessage(message) {
        const { containerId, containerEventType } = message as cri.ContainerEventResponse;
        seen.push(`${containerId} ${names[containerEventType]}`);
        return seen.at(-1)?.endsWith("deleted") ?? false;
      },
    },
  );
  const sandbox = await runSandbox("events");
  const container = await start(sandbox, "exit 0");
  await eventually("the end is seen", async () => (await statusOf(container)).state === EXITED);
  await client().call("RuntimeService/RemoveContainer", { containerId: container });
  await watching;
  assert.deepEqual(seen.filter((event) => event.startsWith(container)).toSorted(), [
    `${container} created`,
    `${container} deleted`,
    `${container} started`,
    `${container} stopped`,
  ]);
  await remove(sandbox);
});

test("bad requests say what is wrong", { skip }, async () => {
  const refused = async (call: Promise<unknown>, code: GrpcCode, message: RegExp) =>
    await assert.rejects(call, { name: "GrpcError", code, message });
  await refused(
    client().call("RuntimeService/RunPodSandbox", {}),
    "invalid-argument",
    /config with metadata/,
  );
  const config = sandboxConfig("other");
  const strange = { config, runtimeHandler: "kata" };
  await refused(
    client().call("RuntimeService/RunPodSandbox", strange),
    "not-found",
    /"kata" is configured/,
  );
  await refused(create("absent", ""), "not-found", /sandbox "absent"/);
  const sandbox = await runSandbox("refusals");
  await refused(runSandbox("refusals"), "already-exists", /remove it first/);
  await refused(create(sandbox, "", { image: { image: "absent" } }), "not-found", /pull it first/);
  const image = { image: "absent.example/nothing:1" };
  await refused(client().call("ImageService/PullImage", { image }), "unknown", /was not reached/);
  const container = await start(sandbox, "sleep 1000");
  const slow = { containerId: container, cmd: ["sleep", "100"], timeout: 1 };
  await refused(client().call("RuntimeService/ExecSync", slow), "deadline-exceeded", /timed out/);
  await refused(
    client().call("RuntimeService/CheckpointContainer", {}),
    "unimplemented",
    /not served/,
  );
  await remove(sandbox);
});

test("images are listed, found by any name and removed", { skip }, async () => {
  const image = { image: BUSYBOX };
  const { images } = await client().call("ImageService/ListImages", {});
  const [found] = images;
  assert.deepEqual(found?.repoTags, [BUSYBOX]);
  const byId = await client().call("ImageService/ImageStatus", {
    image: { image: found?.id ?? "" },
  });
  assert.deepEqual(byId.image?.repoTags, [BUSYBOX]);
  const { imageFilesystems } = await client().call("ImageService/ImageFsInfo", {});
  assert.ok((imageFilesystems[0]?.usedBytes?.value ?? 0) > 100_000);
  for (let time = 0; time < 2; time++) await client().call("ImageService/RemoveImage", { image });
  const gone = await client().call("ImageService/ImageStatus", { image });
  assert.equal(gone.image, undefined);
});

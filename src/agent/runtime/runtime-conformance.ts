import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync, readFileSync, renameSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { sleep } from "../../lib/clock.ts";
import { systemClock } from "../../sys/clock.ts";
import type { LocalImage } from "../image/contract.ts";
import type { ContainerRuntime, ContainerSpec, ContainerStatus, SandboxSpec } from "./contract.ts";
import type { FailpointName } from "./failpoints.ts";

/** What an implementation gives to the suite. */
export interface RuntimeFixture extends AsyncDisposable {
  /** A new runtime object on the same directories; the one before may still exist. */
  open(): Promise<ContainerRuntime>;
  /** An image with busybox as /bin/sh and user "www" (uid 33, gid 34, in group "extra" 50). */
  image: LocalImage;
  logDirectory: string;
  /** Where sandboxes have their network; they use the node's when absent. */
  networkNamespacePath?: string;
  /** Containers do not run on the kernel of the node. */
  hasOwnKernel: boolean;
  /** What is left in the kernel and on disk: names of mounts, groups, processes, files. */
  leftovers(): string[];
  /** Where its agent can be made to die; none when another fixture has tried the same code. */
  failpoints: readonly FailpointName[];
  /**
   * Runs an agent of its own that starts a container, and kills the agent; with a failpoint it goes
   * on to remove both, and dies where that says.
   */
  startAndDie(spec: {
    sandbox: SandboxSpec;
    container: ContainerSpec;
    failpoint?: FailpointName;
  }): Promise<void>;
}

const GRACE_MS = 10_000;

/** Every container runtime passes these; `fixture` is made and disposed by the caller. */
export function runtimeConformance(name: string, fixture: RuntimeFixture): void {
  let count = 0;
  let runtime: ContainerRuntime;
  const sandboxSpec = (id: string): SandboxSpec => ({
    id,
    podName: id,
    podNamespace: "default",
    hostname: "host-of-pod",
    ...(fixture.networkNamespacePath && { networkNamespacePath: fixture.networkNamespacePath }),
    qosClass: "Burstable",
    resources: { cpuShares: 512 },
  });
  const containerSpec = (sandboxId: string, more: Partial<ContainerSpec>): ContainerSpec => ({
    id: `${sandboxId}-main-0`,
    sandboxId,
    name: "main",
    attempt: 0,
    image: fixture.image,
    imageReference: "busybox",
    command: ["true"],
    environment: ["PATH=/bin", "GREETING=hello"],
    workingDirectory: "/",
    mounts: [],
    logPath: path.join(fixture.logDirectory, sandboxId, "0.log"),
    resources: {},
    security: { user: "", allowPrivilegeEscalation: false, seccomp: "runtime-default" },
    ...more,
  });
  const create = async (more: Partial<ContainerSpec>) => {
    const sandboxId = `pod-${++count}`;
    await runtime.createSandbox(sandboxSpec(sandboxId));
    const spec = containerSpec(sandboxId, more);
    await runtime.createContainer(spec);
    return spec;
  };
  const exitOf = (id: string) =>
    new Promise<ContainerStatus>((resolve) => {
      const known = runtime.status(id);
      if (known?.state === "exited") return resolve(known);
      const handle = runtime.onExit((status) => {
        if (status.id !== id) return;
        handle[Symbol.dispose]();
        resolve(status);
      });
    });
  const start = async (command: string, more: Partial<ContainerSpec> = {}) => {
    const spec = await create({ command: ["sh", "-c", command], ...more });
    await runtime.startContainer(spec.id);
    return spec;
  };
  const run = async (command: string, more: Partial<ContainerSpec> = {}) => {
    const spec = await start(command, more);
    const status = await exitOf(spec.id);
    const lines = readFileSync(spec.logPath, "utf8").trimEnd().split("\n");
    const out = lines.map((line) => line.split(" ").slice(3).join(" "));
    await runtime.removeSandbox(spec.sandboxId);
    return { status, lines, out };
  };
  const it = (what: string, body: () => Promise<void>, skip: string | false = false) => {
    test(`${name}: ${what}`, { timeout: 60_000, skip }, async () => {
      runtime ??= await fixture.open();
      await body();
    });
  };
  after(async () => {
    await runtime?.[Symbol.asyncDispose]();
    await fixture[Symbol.asyncDispose]();
  });

  it("runs a process to its end, with its exit code and a log in CRI format", async () => {
    const { status, lines } = await run("echo out; echo err >&2; exit 7");
    assert.equal(status.state, "exited");
    assert.equal(status.exitCode, 7);
    assert.ok((status.startedAtMs ?? 0) <= (status.finishedAtMs ?? 0));
    assert.equal(lines.length, 2);
    const format = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (stdout|stderr) F (out|err)$/;
    for (const line of lines) assert.match(line, format);
  });

  it("gives environment, hostname, user, groups and a private view of the node", async () => {
    const { out } = await run(
      "echo $GREETING $HOME; hostname; id; echo $$; stat -c %a /dev/shm; pwd",
      {
        security: {
          user: "www",
          supplementalGroups: [77],
          allowPrivilegeEscalation: false,
          seccomp: "runtime-default",
        },
        workingDirectory: "/tmp",
      },
    );
    assert.deepEqual(out, [
      "hello /",
      "host-of-pod",
      "uid=33(www) gid=34 groups=34,50(extra),77",
      "1",
      "1777",
      "/tmp",
    ]);
  });

  it("confines: system calls, capabilities, masked files, devices, privileges", async () => {
    const { out } = await run(
      "unshare -m true; echo unshare $?; mount -t tmpfs x /mnt; echo mount $?;" +
        "grep -E '^(Seccomp|NoNewPrivs|CapInh|CapEff|CapBnd):' /proc/self/status | tr -d '\t';" +
        "wc -c < /proc/timer_list; echo x > /proc/sys/kernel/hostname; echo sys $?;" +
        "mknod /tmp/sda b 8 0; cat /tmp/sda; echo device $?",
    );
    const text = out.join("\n");
    // Its own kernel stands in for the filter, and keeps raw sockets to itself.
    const facts = fixture.hasOwnKernel
      ? ["CapEff:00000000a80405fb", "CapBnd:00000000a80405fb"]
      : ["NoNewPrivs:1", "Seccomp:2", "CapEff:00000000a80425fb", "CapBnd:00000000a80425fb"];
    for (const fact of [...facts, "unshare 1", "CapInh:0000000000000000", "sys 1", "device 1"]) {
      assert.ok(text.includes(fact), `${fact} in\n${text}`);
    }
    assert.match(text, /unshare: .*Operation not permitted/);
    assert.match(text, /^mount [1-9]/m);
    assert.doesNotMatch(text, /^mount 0/m);
  });

  it("reports a process that a signal ended, and a stop in time", async () => {
    const { status } = await run("sh -c 'kill -9 $$'; exit $?");
    assert.equal(status.exitCode, 137);
    const polite = await start("trap 'exit 3' TERM; echo ready; while true; do sleep 0.05; done");
    await contains(polite.logPath, "ready");
    const stopped = await runtime.stopContainer(polite.id, { graceMs: GRACE_MS });
    assert.equal(stopped.exitCode, 3);
    const stubborn = await start("trap '' TERM; echo ready; while true; do sleep 0.05; done");
    await contains(stubborn.logPath, "ready");
    const killed = await runtime.stopContainer(stubborn.id, { graceMs: 50 });
    assert.equal(killed.exitCode, 137);
    assert.deepEqual(await runtime.stopContainer(stubborn.id, { graceMs: 50 }), killed);
    await runtime.removeSandbox(polite.sandboxId);
    await runtime.removeSandbox(stubborn.sandboxId);
  });

  it(
    "tells that the kernel killed a container for want of memory",
    async () => {
      const { status } = await run("a=x; while true; do a=$a$a; done", {
        resources: { memoryLimitBytes: 16 * 1024 * 1024 },
      });
      assert.equal(status.exitCode, 137);
      assert.equal(status.oomKilled, true);
    },
    fixture.hasOwnKernel && "only the pod has a memory limit, not a container",
  );

  it("refuses what cannot run, says why, and leaves nothing of it", async () => {
    const refused = async (code: string, more: Partial<ContainerSpec>) => {
      const sandboxId = `pod-${++count}`;
      await runtime.createSandbox(sandboxSpec(sandboxId));
      const spec = containerSpec(sandboxId, more);
      await assert.rejects(
        (async () => {
          await runtime.createContainer(spec);
          await runtime.startContainer(spec.id);
        })(),
        { code },
        code,
      );
      await runtime.removeSandbox(sandboxId);
    };
    const security = containerSpec("x", {}).security;
    await refused("command-not-found", { command: ["absent-command"] });
    await refused("command-not-found", { command: ["/absent/path"] });
    await refused("command-not-found", { command: [] });
    await refused("permission-denied", { command: ["/etc/passwd"] });
    await refused("permission-denied", { workingDirectory: "/proc/self/fd/7" });
    await refused("user-not-found", { security: { ...security, user: "nobody-knows" } });
    await refused("runs-as-root", { security: { ...security, runAsNonRoot: true } });
    await assert.rejects(runtime.startContainer("absent"), { code: "not-found" });
  });

  it("executes commands beside the process, with a time limit", async () => {
    const spec = await start("sleep 100");
    const result = await runtime.execSync(
      spec.id,
      ["sh", "-c", "echo $GREETING; echo e >&2; exit 4"],
      5000,
    );
    assert.deepEqual(result, { exitCode: 4, stdout: "hello\n", stderr: "e\n", timedOut: false });
    const late = await runtime.execSync(spec.id, ["sleep", "50"], 100);
    assert.equal(late.timedOut, true);
    const flood = await runtime.execSync(spec.id, ["sh", "-c", "yes | head -c 100000"], 5000);
    assert.equal(flood.stdout.length, 16 * 1024);
    const pids = await runtime.execSync(spec.id, ["sh", "-c", "ps | grep -c '[s]leep 50'"], 5000);
    assert.equal(pids.stdout, "0\n");
    const missing = await runtime.execSync(spec.id, ["absent-command"], 5000);
    assert.equal(missing.exitCode, 127);
    assert.match(missing.stderr, /absent-command/);
    assert.equal((await runtime.execSync(spec.id, ["/etc/passwd"], 5000)).exitCode, 126);
    const own = await runtime.execSync(spec.id, ["sh", "-c", "exit 255"], 5000);
    assert.equal(own.exitCode, 255);
    await runtime.stopContainer(spec.id, { graceMs: 0 });
    await assert.rejects(runtime.execSync(spec.id, ["true"], 1000), { code: "not-running" });
    await runtime.removeSandbox(spec.sandboxId);
  });

  it("streams an exec both ways, without and with a terminal that can be resized", async () => {
    const spec = await start("sleep 100");
    const all = { stdin: true, stdout: true, stderr: true };
    await using plain = await runtime.exec(spec.id, {
      ...all,
      tty: false,
      command: ["sh", "-c", "cat; echo done > /dev/stderr; exit 5"],
    });
    const big = "0123456789".repeat(50_000);
    plain.stdin?.end(big);
    const [out, err] = await Promise.all([textOf(plain.stdout), textOf(plain.stderr)]);
    assert.equal(out.length, big.length);
    assert.equal(err, "done\n");
    assert.deepEqual(await plain.exit, { exitCode: 5 });

    await using terminal = await runtime.exec(spec.id, {
      ...all,
      tty: true,
      command: [
        "sh",
        "-c",
        "stty size; read line; until stty size | grep 37; do sleep 0.01; done; echo got $line; exit 6",
      ],
    });
    terminal.resize({ columns: 80, rows: 25 });
    const screen = textOf(terminal.stdout);
    terminal.stdin?.write("hi\n");
    terminal.resize({ columns: 101, rows: 37 });
    assert.match(await screen, /got hi/);
    assert.match(await screen, /37 101/);
    assert.deepEqual(await terminal.exit, { exitCode: 6 });
    await using absent = await runtime.exec(spec.id, { ...all, tty: true, command: ["absent"] });
    assert.match(await textOf(absent.stdout), /absent/);
    assert.deepEqual(await absent.exit, { exitCode: 127 });
    await runtime.removeSandbox(spec.sandboxId);
  });

  it("goes on with its log in a new file, and loses no line", async () => {
    const spec = await start("trap 'exit 0' USR1; i=0; while true; do echo $i; i=$((i+1)); done");
    const parts = [0, 1, 2].map((at) => `${spec.logPath}.${at}`);
    for (const part of parts) {
      renameSync(spec.logPath, part);
      await runtime.reopenLog(spec.id);
    }
    await runtime.stopContainer(spec.id, { signal: "SIGUSR1", graceMs: GRACE_MS });
    await assert.rejects(runtime.reopenLog(spec.id), { code: "not-running" });
    const text = [...parts, spec.logPath].map((part) => readFileSync(part, "utf8")).join("");
    // A line that the monitor read in two pieces has two entries, the first one tagged "P".
    const joined = text.replace(/ P (.*)\n\S+ stdout F /g, " F $1");
    const numbers = joined
      .trimEnd()
      .split("\n")
      .map((line) => Number(line.split(" ").at(-1)));
    assert.deepEqual(numbers, Array.from(numbers.keys()));
    await runtime.removeSandbox(spec.sandboxId);
  });

  it("lets a container look into the processes of another one of its sandbox", async () => {
    const target = await start("sleep 4321");
    const { sandboxId } = target;
    const debug = containerSpec(sandboxId, {
      id: `${sandboxId}-debug-0`,
      name: "debug",
      command: ["sh", "-c", "ps | grep -c '[s]leep 4321'"],
      logPath: path.join(fixture.logDirectory, sandboxId, "debug.log"),
      sharesProcessesOf: target.id,
    });
    await runtime.createContainer(debug);
    await runtime.startContainer(debug.id);
    assert.equal((await exitOf(debug.id)).exitCode, 0);
    assert.match(readFileSync(debug.logPath, "utf8"), / 1\n$/);
    await runtime.stopContainer(target.id, { graceMs: 0 });
    const late = { ...debug, id: `${sandboxId}-debug-1` };
    await assert.rejects(runtime.createContainer(late), { code: "not-running" });
    await runtime.removeSandbox(sandboxId);
  });

  it("lets the containers of a sandbox share one process namespace, whose zombies are reaped", async () => {
    const sandboxId = `pod-${++count}`;
    const spec = { ...sandboxSpec(sandboxId), shareProcessNamespace: true };
    await runtime.createSandbox(spec);
    const container = (id: string, script: string) =>
      containerSpec(sandboxId, {
        id: `${sandboxId}-${id}`,
        name: id,
        command: ["sh", "-c", script],
        logPath: path.join(fixture.logDirectory, sandboxId, `${id}.log`),
      });
    const [first, second] = [
      container("first", "(sleep 0.1 & ) ; exec sleep 4322"),
      container(
        "second",
        "until ! ps | grep -q '[s]leep 0.1'; do :; done; ps; readlink /proc/1/exe",
      ),
    ];
    for (const one of [first, second]) {
      await runtime.createContainer(one);
      await runtime.startContainer(one.id);
    }
    assert.deepEqual(
      runtime.containers(sandboxId).map(({ name: of }) => of),
      ["first", "second"],
    );
    await exitOf(second.id);
    const seen = readFileSync(second.logPath, "utf8");
    assert.match(seen, / 1 \S+ +(\/init|init)$/m, seen);
    assert.match(seen, /sleep 4322/, seen);
    assert.doesNotMatch(seen, /sleep 0.1|\[sleep\]/, seen);
    // What a container leaves behind ends with it all the same.
    const leaving = container("third", "sleep 4323 & exit 0");
    await runtime.createContainer(leaving);
    await runtime.startContainer(leaving.id);
    await exitOf(leaving.id);
    const survivors = await runtime.execSync(first.id, ["sh", "-c", "ps"], GRACE_MS);
    assert.doesNotMatch(survivors.stdout, /sleep 4323/);
    await runtime.removeSandbox(sandboxId);
  });

  it("attaches to the running process", async () => {
    const spec = await start("read a; echo first $a; read b; echo second $b >&2; exit 9", {
      stdin: true,
    });
    const all = { stdin: true, stdout: true, stderr: true };
    await using session = await runtime.attach(spec.id, all);
    session.stdin?.write("one\n");
    session.stdin?.write("two\n");
    const [out, err] = await Promise.all([textOf(session.stdout), textOf(session.stderr)]);
    assert.equal(out, "first one\n");
    assert.equal(err, "second two\n");
    assert.deepEqual(await session.exit, { exitCode: 9 });
    await runtime.removeSandbox(spec.sandboxId);
  });

  it("changes limits of a running container and reads its use", async () => {
    const spec = await start("sleep 100", { resources: { memoryLimitBytes: 64 << 20 } });
    const wider = { memoryLimitBytes: 96 << 20, cpuQuotaUs: 50_000, cpuPeriodUs: 100_000 };
    await runtime.updateSandbox(spec.sandboxId, wider);
    await runtime.updateResources(spec.id, { ...wider, memoryLimitBytes: 32 << 20 });
    await runtime.updateSandbox(spec.sandboxId, { memoryLimitBytes: 48 << 20 });
    const stats = await runtime.stats(spec.sandboxId);
    assert.ok(stats.cpuNanoseconds > 0);
    assert.ok(stats.memoryBytes > 0 && stats.workingSetBytes <= stats.memoryBytes);
    assert.deepEqual(
      stats.containers.map((container) => container.name),
      ["main"],
    );
    await runtime.removeSandbox(spec.sandboxId);
  });

  it("is found again by a new runtime, also what ended meanwhile", async () => {
    const running = await start("sleep 100");
    const ended = await start("exit 8");
    await exitOf(ended.id);
    await using second = await fixture.open();
    const seen = new Map<string, number | undefined>();
    second.onExit((status) => seen.set(status.id, status.exitCode));
    const { sandboxes, containers } = await second.recover();
    assert.equal(sandboxes.length, 2);
    const states = new Map(containers.map(({ id, state }) => [id, state]));
    assert.deepEqual(Object.fromEntries(states), { [running.id]: "running", [ended.id]: "exited" });
    assert.equal(seen.get(ended.id), 8);
    const result = await second.execSync(running.id, ["echo", "alive"], 5000);
    assert.equal(result.stdout, "alive\n");
    await second.removeSandbox(running.sandboxId);
    await second.removeSandbox(ended.sandboxId);
    await runtime[Symbol.asyncDispose]();
    runtime = await fixture.open();
  });

  it("ends a container whose monitor has died: its output would be lost", async () => {
    const spec = await start("while true; do sleep 0.05; done");
    const own = `--cid\0${spec.id}\0`;
    const monitor = readdirSync("/proc").find(
      (pid) => /^\d+$/.test(pid) && textOfFile(`/proc/${pid}/cmdline`).includes(own),
    );
    process.kill(Number(monitor), "SIGKILL");
    for (let round = 0; round < 200 && runtime.status(spec.id)?.state === "running"; round++) {
      await runtime.recover(); // looks at all monitors
      await sleep(systemClock, 10);
    }
    const { state, exitCode, lost } = runtime.status(spec.id) ?? {};
    assert.deepEqual({ state, exitCode }, { state: "exited", exitCode: 137 });
    assert.match(lost ?? "", /monitor/);
    await runtime.removeSandbox(spec.sandboxId);
  });

  it("names an image whose layers are gone, and starts once they are back", async () => {
    const sandboxId = `pod-${++count}`;
    await runtime.createSandbox(sandboxSpec(sandboxId));
    const layerPaths = [...fixture.image.layerPaths, "/nonexistent/layer"];
    const image = { ...fixture.image, references: ["busybox:1"], layerPaths };
    const spec = containerSpec(sandboxId, { command: ["true"], image });
    await assert.rejects(runtime.createContainer(spec), {
      message: 'Cannot use image "busybox:1": a layer of it is missing; import it again',
    });
    await runtime.createContainer({ ...spec, image: fixture.image });
    await runtime.startContainer(spec.id);
    assert.equal((await exitOf(spec.id)).exitCode, 0);
    await runtime.removeSandbox(sandboxId);
  });

  it("removes a sandbox whose root somebody else uses, without waiting for them", async () => {
    const spec = await start("sleep 100");
    const { pid } = runtime.status(spec.id) ?? {};
    const file = openSync(`/proc/${pid}/root/etc/passwd`, "r");
    try {
      await runtime.removeSandbox(spec.sandboxId);
      await nothingIsLeft(fixture, "while a file of it is open");
    } finally {
      closeSync(file);
    }
  });

  it("outlives an agent that was killed", async () => {
    const sandbox = sandboxSpec(`pod-${++count}`);
    const container = containerSpec(sandbox.id, {
      command: ["sh", "-c", "trap 'exit 11' USR1; echo ready; while true; do sleep 0.05; done"],
    });
    await fixture.startAndDie({ sandbox, container });
    await contains(container.logPath, "ready");
    const { containers } = await runtime.recover();
    const found = containers.find((status) => status.id === container.id);
    assert.equal(found?.state, "running");
    const stopped = await runtime.stopContainer(container.id, {
      signal: "SIGUSR1",
      graceMs: GRACE_MS,
    });
    assert.equal(stopped.exitCode, 11);
    await runtime.removeSandbox(sandbox.id);
  });

  it("loses and leaks nothing, wherever its agent was killed", async () => {
    for (const failpoint of fixture.failpoints) {
      const sandbox = sandboxSpec(`pod-${++count}`);
      const container = containerSpec(sandbox.id, { command: ["sleep", "1000"] });
      await fixture.startAndDie({ sandbox, container, failpoint });
      await runtime[Symbol.asyncDispose]();
      runtime = await fixture.open();
      await runtime.recover();
      if (count % 2 === 0) {
        // The pod was deleted meanwhile.
        await runtime.removeSandbox(sandbox.id);
        await nothingIsLeft(fixture, failpoint);
        continue;
      }
      // The agent that comes after it does what the pod wants, whatever is there already.
      await runtime.createSandbox(sandbox);
      await runtime.createContainer(container);
      const status = await runtime.startContainer(container.id);
      // One that was being stopped is about to end.
      if (failpoint === "stop-signal") await exitOf(container.id);
      const ended = runtime.status(container.id)?.state === "exited";
      assert.ok(status.state === "running" || ended, `${failpoint}: ${status.state}`);
      if (!ended) {
        const result = await runtime.execSync(container.id, ["echo", "alive"], GRACE_MS);
        assert.equal(result.stdout, "alive\n", failpoint);
      }
      await runtime.removeSandbox(sandbox.id);
      await nothingIsLeft(fixture, failpoint);
    }
  });

  it("left nothing behind", async () => {
    await nothingIsLeft(fixture, "at the end");
  });
}

async function textOf(stream: AsyncIterable<unknown> | undefined): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

/** The monitor of a container ends a moment after the container. */
async function nothingIsLeft(fixture: RuntimeFixture, when: string): Promise<void> {
  for (let attempt = 0; attempt < 200 && fixture.leftovers().length > 0; attempt++) {
    await sleep(systemClock, 20);
  }
  assert.deepEqual(fixture.leftovers(), [], when);
}

/** "" for a process that has just ended. */
function textOfFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

async function contains(file: string, text: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    try {
      if (readFileSync(file, "utf8").includes(text)) return;
    } catch {
      // the monitor has not made it yet
    }
    await sleep(systemClock, 10);
  }
  assert.fail(`"${text}" did not appear in ${file}`);
}

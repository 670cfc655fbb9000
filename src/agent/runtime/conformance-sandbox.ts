import assert from "node:assert/strict";
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { mount, readMounts, unmount } from "../../sys/mount.ts";
import { type Conformance, contains, GRACE_MS, nothingIsLeft } from "./conformance-context.ts";
import type { ContainerMount } from "./contract.ts";

/** What the containers of a sandbox share, and their limits. */
export function sandboxConformance(on: Conformance): void {
  const { it, start, exitOf, containerSpec, fixture } = on;

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
    await on.runtime.createContainer(debug);
    await on.runtime.startContainer(debug.id);
    assert.equal((await exitOf(debug.id)).exitCode, 0);
    assert.match(readFileSync(debug.logPath, "utf8"), / 1\n$/);
    await on.runtime.stopContainer(target.id, { graceMs: 0 });
    const late = { ...debug, id: `${sandboxId}-debug-1` };
    await assert.rejects(on.runtime.createContainer(late), { code: "not-running" });
    await on.runtime.removeSandbox(sandboxId);
  });

  it(
    "shows a container what its pod alone has, with what is mounted there, and the node's files",
    async () => {
      const sandboxId = on.nextPodId();
      const own = path.join(fixture.podDirectory ?? "", sandboxId);
      const [plain, memory] = [path.join(own, "plain"), path.join(own, "memory")];
      const elsewhere = path.join(fixture.logDirectory, sandboxId);
      for (const directory of [plain, memory, elsewhere]) mkdirSync(directory, { recursive: true });
      mount({ source: "tmpfs", target: memory, type: "tmpfs" });
      const sources = { plain, memory, elsewhere };
      for (const [name, directory] of Object.entries(sources)) {
        writeFileSync(path.join(directory, "file"), `of ${name}\n`);
      }
      const at = (name: keyof typeof sources): ContainerMount => {
        return { hostPath: sources[name], containerPath: `/mnt/${name}`, readOnly: false };
      };
      const other = await start("sleep 4324");
      await on.runtime.createSandbox(on.sandboxSpec(sandboxId));
      const script = "cat /mnt/*/file; df /dev/shm | grep -c shm; echo made > /mnt/plain/made";
      for (const names of [
        ["plain", "memory"],
        ["plain"],
        ["plain", "memory", "elsewhere"],
      ] as const) {
        const id = `${sandboxId}-${names.length}`;
        const logPath = path.join(elsewhere, `${names.length}.log`);
        const command = ["sh", "-c", `${script}; cat /proc/self/mountinfo; sleep 4325`];
        const mounts = names.map(at);
        const spec = containerSpec(sandboxId, { id, name: id, command, logPath, mounts });
        await on.runtime.createContainer(spec);
        await on.runtime.startContainer(id);
        await contains(logPath, "/mnt/plain");
        const words = ["memory", "plain"].filter((name) => names.some((one) => one === name));
        const seen = [...(names.length === 3 ? ["elsewhere"] : []), ...words].map(
          (one) => `of ${one}`,
        );
        const lines = readFileSync(logPath, "utf8").split("\n");
        const out = lines.map((line) => line.split(" ").slice(3).join(" "));
        assert.deepEqual(out.slice(0, seen.length + 1), [...seen, "1"]);
        assert.ok(!out.join().includes(other.sandboxId), "nothing of another pod is mounted there");
        const ran = await on.runtime.execSync(id, ["cat", "/mnt/plain/made"], GRACE_MS);
        assert.equal(ran.stdout, "made\n");
      }
      assert.equal(readFileSync(path.join(plain, "made"), "utf8"), "made\n");
      await on.runtime.removeSandbox(other.sandboxId);
      await on.runtime.removeSandbox(sandboxId);
      unmount(memory);
      await nothingIsLeft(fixture, "no runtime holds a mount of the pod's");
    },
    fixture.podDirectory === undefined && "the directories of its pods are its own affair",
  );

  it("starts a container that was expected while another of its sandbox ran", async () => {
    const before = await start("sleep 4323");
    const { sandboxId } = before;
    const next = (attempt: number) =>
      containerSpec(sandboxId, {
        id: `${sandboxId}-main-${attempt}`,
        attempt,
        command: ["sh", "-c", `echo attempt ${attempt}`],
        logPath: path.join(fixture.logDirectory, sandboxId, `${attempt}.log`),
      });
    for (const attempt of [1, 2]) {
      on.runtime.expectContainer({ ...next(attempt), qosClass: "Burstable" });
    }
    await on.runtime.stopContainer(before.id, { graceMs: 0 });
    await on.runtime.createContainer(next(1));
    await on.runtime.startContainer(next(1).id);
    assert.equal((await exitOf(next(1).id)).exitCode, 0);
    assert.match(readFileSync(next(1).logPath, "utf8"), / attempt 1\n$/);
    await on.runtime.removeSandbox(sandboxId);
    await nothingIsLeft(fixture, "the second one, which did not come, has gone with its sandbox");
  });

  it("lets the containers of a sandbox share one process namespace, whose zombies are reaped", async () => {
    const sandboxId = on.nextPodId();
    const spec = { ...on.sandboxSpec(sandboxId), shareProcessNamespace: true };
    await on.runtime.createSandbox(spec);
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
      await on.runtime.createContainer(one);
      await on.runtime.startContainer(one.id);
    }
    assert.deepEqual(
      on.runtime.containers(sandboxId).map(({ name: of }) => of),
      ["first", "second"],
    );
    await exitOf(second.id);
    const seen = readFileSync(second.logPath, "utf8");
    assert.match(seen, / 1 \S+ +(\/init|init)$/m, seen);
    assert.match(seen, /sleep 4322/, seen);
    assert.doesNotMatch(seen, /sleep 0.1|\[sleep\]/, seen);
    // What a container leaves behind ends with it all the same.
    const leaving = container("third", "sleep 4323 & exit 0");
    await on.runtime.createContainer(leaving);
    await on.runtime.startContainer(leaving.id);
    await exitOf(leaving.id);
    const gone = "until ! ps | grep -q '[s]leep 4323'; do :; done; echo gone";
    const survivors = await on.runtime.execSync(first.id, ["sh", "-c", gone], GRACE_MS);
    assert.equal(survivors.stdout, "gone\n");
    await on.runtime.removeSandbox(sandboxId);
  });

  for (const withUsers of [false, true]) {
    const whose = withUsers ? ", with user ids of its own" : "";
    it(`mounts nothing outside of itself, however links in a volume change${whose}`, async () => {
      if (withUsers && !on.runtime.handlers().find(({ isDefault }) => isDefault)?.hasUserNamespaces)
        return;
      await raceForMounts(on, withUsers);
    });
  }

  it("changes limits of a running container and reads its use", async () => {
    const spec = await start("sleep 100", { resources: { memoryLimitBytes: 64 << 20 } });
    const wider = { memoryLimitBytes: 96 << 20, cpuQuotaUs: 50_000, cpuPeriodUs: 100_000 };
    await on.runtime.updateSandbox(spec.sandboxId, wider);
    await on.runtime.updateResources(spec.id, { ...wider, memoryLimitBytes: 32 << 20 });
    await on.runtime.updateSandbox(spec.sandboxId, { memoryLimitBytes: 48 << 20 });
    const stats = await on.runtime.stats(spec.sandboxId);
    assert.ok(stats.cpuNanoseconds > 0);
    assert.ok(stats.memoryBytes > 0 && stats.workingSetBytes <= stats.memoryBytes);
    assert.deepEqual(
      stats.containers.map((container) => container.name),
      ["main"],
    );
    await on.runtime.removeSandbox(spec.sandboxId);
  });

  it("takes no heed of the limits of containers that ended", async () => {
    const wide = { cpuQuotaUs: 90_000, cpuPeriodUs: 100_000 };
    const ended = await start("exit 0", { resources: wide });
    await exitOf(ended.id);
    await on.runtime.updateSandbox(ended.sandboxId, wide);
    const narrow = { cpuQuotaUs: 20_000, cpuPeriodUs: 100_000 };
    await on.runtime.updateSandbox(ended.sandboxId, narrow);
    assert.equal(on.runtime.status(ended.id)?.exitCode, 0);
    await on.runtime.removeSandbox(ended.sandboxId);
  });

  it("removes a sandbox whose root somebody else uses, without waiting for them", async () => {
    const spec = await start("sleep 100");
    const { pid } = on.runtime.status(spec.id) ?? {};
    const file = openSync(`/proc/${pid}/root/etc/passwd`, "r");
    try {
      await on.runtime.removeSandbox(spec.sandboxId);
      await nothingIsLeft(fixture, "while a file of it is open");
    } finally {
      closeSync(file);
    }
  });
}

const RACE_ROUNDS = 12;
const DAEMON_RACE_ROUNDS = 3;

/** CVE-2021-30465, CVE-2018-15664: one container makes a link of the place of another's mount. */
async function raceForMounts(on: Conformance, withUsers: boolean): Promise<void> {
  const { fixture, containerSpec } = on;
  const sandboxId = on.nextPodId();
  const users = withUsers ? await on.runtime.prepareUsers({ id: sandboxId }) : undefined;
  await on.runtime.createSandbox({ ...on.sandboxSpec(sandboxId), ...(users && { users }) });
  const base = path.join(fixture.logDirectory, sandboxId);
  const [shared, inner] = [path.join(base, "shared"), path.join(base, "inner")];
  for (const directory of [shared, inner]) mkdirSync(directory, { recursive: true });
  chmodSync(shared, 0o777);
  const onNode = path.join(base, "of-the-node");
  writeFileSync(onNode, "");
  const bind = (hostPath: string, containerPath: string) => {
    return { hostPath, containerPath, readOnly: false };
  };
  const make = async (name: string, script: string, mounts: ContainerMount[]) => {
    const id = `${sandboxId}-${name}`;
    const logPath = path.join(base, `${name}.log`);
    const command = ["sh", "-c", script];
    await on.runtime.createContainer(
      containerSpec(sandboxId, { id, name, command, logPath, mounts }),
    );
    await on.runtime.startContainer(id);
    return { id, logPath };
  };
  const swap = "while :; do mkdir d; rmdir d; ln -s / d; rm -f d; ln -s ../../.. d; rm -f d; done";
  await make("attacker", `cd /shared; exec 2>/dev/null; ${swap}`, [bind(shared, "/shared")]);
  const look = `for d in "" /shared /shared/d; do test -e $d${onNode} && echo escaped; done; echo seen`;
  let started = 0;
  // Of a daemon, the race is its own, and slow.
  const enough = fixture.daemon === undefined ? RACE_ROUNDS : DAEMON_RACE_ROUNDS;
  for (let round = 0; round < RACE_ROUNDS && (round < enough || started === 0); round++) {
    const mounts = [bind(shared, "/shared"), bind(inner, "/shared/d/m")];
    const victim = await make(`victim-${round}`, look, mounts).catch(() => undefined);
    if (!victim) continue; // refused, as its place was a link that leads nowhere
    started++;
    await on.exitOf(victim.id);
    assert.doesNotMatch(readFileSync(victim.logPath, "utf8"), /escaped/);
  }
  assert.ok(started > 0, "some got past the race");
  const targets = readMounts().filter(({ root }) => root.endsWith("/inner"));
  assert.deepEqual(
    targets.map(({ target }) => target).filter((target) => !target.includes("/mapped/")),
    [],
  );
  await on.runtime.removeSandbox(sandboxId);
  await nothingIsLeft(fixture, "after the race");
}

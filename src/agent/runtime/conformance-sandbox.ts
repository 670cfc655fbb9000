import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Conformance, GRACE_MS, nothingIsLeft } from "./conformance-context.ts";

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
    const survivors = await on.runtime.execSync(first.id, ["sh", "-c", "ps"], GRACE_MS);
    assert.doesNotMatch(survivors.stdout, /sleep 4323/);
    await on.runtime.removeSandbox(sandboxId);
  });

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

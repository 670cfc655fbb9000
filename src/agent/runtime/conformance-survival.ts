import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { sleep } from "../../lib/clock.ts";
import { systemClock } from "../../sys/clock.ts";
import { startStallingMount } from "../../sys/stalling-mount-fixture.ts";
import {
  type AgentDeath,
  type Conformance,
  contains,
  GRACE_MS,
  nothingIsLeft,
  textOfFile,
} from "./conformance-context.ts";
import { holderIdOf } from "./container-record.ts";
import type { SandboxSpec } from "./contract.ts";
import type { FailpointName } from "./failpoints.ts";

/** What outlives an agent, a monitor, a runtime. */
export function survivalConformance(on: Conformance): void {
  const { it, start, exitOf, sandboxSpec, containerSpec, fixture } = on;

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
    await on.reopen();
  });

  it(
    "ends a container whose monitor has died: its output would be lost",
    async () => {
      const spec = await start("while true; do sleep 0.05; done");
      killMonitor(spec.id);
      await seenAsEnded(on, spec.id);
      const { state, exitCode, lost } = on.runtime.status(spec.id) ?? {};
      assert.deepEqual({ state, exitCode }, { state: "exited", exitCode: 137 });
      assert.match(lost ?? "", /monitor/);
      await on.runtime.removeSandbox(spec.sandboxId);
    },
    fixture.daemon ?? false,
  );

  it(
    "makes a new kernel for the containers of one whose monitor has died",
    async () => {
      const spec = await start("sleep 1000");
      killMonitor(holderIdOf(spec.sandboxId));
      await seenAsEnded(on, spec.id);
      assert.equal(on.runtime.status(spec.id)?.exitCode, 137);
      const next = { ...spec, id: `${spec.sandboxId}-main-1`, attempt: 1 };
      await on.runtime.createContainer(next);
      assert.equal((await on.runtime.startContainer(next.id)).state, "running");
      const result = await on.runtime.execSync(next.id, ["echo", "alive"], GRACE_MS);
      assert.equal(result.stdout, "alive\n");
      await on.runtime.removeSandbox(spec.sandboxId);
      await nothingIsLeft(fixture, "a dead monitor");
    },
    !fixture.hasOwnKernel && "its containers run on the kernel of the node",
  );

  it(
    "starts by gVisor's own commands as long as its release is not known",
    async () => {
      assert.ok(fixture.openStrange);
      await using strange = await fixture.openStrange();
      await strange.recover();
      const sandbox = sandboxSpec(on.nextPodId());
      await strange.createSandbox(sandbox);
      const spec = containerSpec(sandbox.id, { command: ["sleep", "1000"] });
      await strange.createContainer(spec);
      assert.equal((await strange.startContainer(spec.id)).state, "running");
      const result = await strange.execSync(spec.id, ["echo", "alive"], GRACE_MS);
      assert.equal(result.stdout, "alive\n");
      await strange.removeSandbox(sandbox.id);
      await nothingIsLeft(fixture, "gVisor's own commands");
      await on.reopen();
    },
    !fixture.openStrange && "it has no releases that matter",
  );

  it(
    "gives up on an OCI runtime that hangs, and leaves nothing when it can again",
    async () => {
      const directory = mkdtempSync(path.join(tmpdir(), "nephos-far-"));
      const stalling = await startStallingMount(directory);
      try {
        await using impatient = await fixture.open({ creationMs: 300 });
        await impatient.recover();
        const sandbox = sandboxSpec(on.nextPodId());
        await impatient.createSandbox(sandbox);
        await stalling.stall();
        const mount = { hostPath: `${directory}/directory`, containerPath: "/mnt" };
        const spec = containerSpec(sandbox.id, { mounts: [{ ...mount, readOnly: false }] });
        await assert.rejects(impatient.createContainer(spec), {
          code: "runtime-failed",
          message: /^The OCI runtime has not made the container in 0.3 s: .* does not answer/,
        });
        await assert.rejects(impatient.removeSandbox(sandbox.id), /process \d+ .* waits in /);
        await stalling.answer();
        await impatient.removeSandbox(sandbox.id);
      } finally {
        await stalling[Symbol.asyncDispose]();
        rmdirSync(directory);
      }
      await nothingIsLeft(fixture, "a runtime that hung");
      await on.reopen();
    },
    fixture.daemon ?? (fixture.hasOwnKernel && "what mounts is a gofer, which its kernel watches"),
  );

  it("outlives an agent that was killed", async () => {
    const sandbox = sandboxSpec(on.nextPodId());
    const container = containerSpec(sandbox.id, {
      command: ["sh", "-c", "trap 'exit 11' USR1; echo ready; while true; do sleep 0.05; done"],
    });
    await fixture.startAndDie({ sandbox, container });
    await contains(container.logPath, "ready");
    const { containers } = await on.runtime.recover();
    const found = containers.find((status) => status.id === container.id);
    assert.equal(found?.state, "running");
    const stopped = await on.runtime.stopContainer(container.id, {
      signal: "SIGUSR1",
      graceMs: GRACE_MS,
    });
    assert.equal(stopped.exitCode, 11);
    await on.runtime.removeSandbox(sandbox.id);
  });

  it("loses and leaks nothing, wherever its agent was killed", async () => {
    for (const [at, death] of fixture.deaths.entries()) {
      const { failpoint, kind = "" } = death;
      const where = placeOf(death);
      const shareProcessNamespace = kind === "processes";
      const qosClass = classOf(death);
      const sandbox = { ...sandboxSpec(on.nextPodId()), qosClass, shareProcessNamespace };
      const container = containerSpec(sandbox.id, { command: ["sleep", "1000"] });
      await fixture.startAndDie({ sandbox, container, death });
      await on.reopen();
      const { containers } = await on.runtime.recover();
      if (at % 2 === 0) {
        // The pod was deleted meanwhile.
        await on.runtime.removeSandbox(sandbox.id);
        await nothingIsLeft(fixture, where);
        continue;
      }
      // The agent that comes after it does what the pod wants, whatever is there already.
      const users = kind === "users" && (await on.runtime.prepareUsers({ id: sandbox.id }));
      await on.runtime.createSandbox({ ...sandbox, ...(users && { users }) });
      // One that a kernel may have run already is made anew, as pods do with all of them.
      const stale = fixture.hasOwnKernel && containers.some(({ state }) => state === "created");
      if (stale) await on.runtime.removeContainer(container.id);
      await on.runtime.createContainer(container);
      const status = await on.runtime.startContainer(container.id);
      // One that was being stopped is about to end.
      const isEnding = failpoint === "stop-signal" && containers.length > 0;
      if (isEnding) await exitOf(container.id);
      const ended = on.runtime.status(container.id)?.state === "exited";
      assert.ok(status.state === "running" || ended, `${where}: ${status.state}`);
      if (!ended) {
        // Of the command that its agent ran, nothing is left but what the container started.
        const list = await on.runtime.execSync(container.id, ["ps"], GRACE_MS);
        assert.equal(list.stdout.match(/ sleep /g)?.length, 1, `${where}: ${list.stdout}`);
      }
      await on.runtime.removeSandbox(sandbox.id);
      await nothingIsLeft(fixture, where);
    }
  });

  it("loses no exit code and no line of what ends at once, wherever its agent was killed", async () => {
    const ofStart = fixture.deaths.filter(({ failpoint }) => STARTS.has(failpoint));
    for (const death of fixture.hasOwnKernel ? [] : ofStart) {
      const where = placeOf(death);
      const sandbox = { ...sandboxSpec(on.nextPodId()), qosClass: classOf(death) };
      const container = containerSpec(sandbox.id, {
        command: ["sh", "-c", "echo one; echo two; exit 9"],
      });
      await fixture.startAndDie({ sandbox, container, death });
      await on.reopen();
      await on.runtime.recover();
      await on.runtime.createSandbox(sandbox);
      await on.runtime.createContainer(container);
      await on.runtime.startContainer(container.id);
      assert.equal((await exitOf(container.id)).exitCode, 9, where);
      const lines = textOfFile(container.logPath).trimEnd().split("\n");
      const words = lines.map((line) => line.split(" ").slice(3).join(" "));
      assert.deepEqual(words, ["one", "two"], where);
      await on.runtime.removeSandbox(sandbox.id);
      await nothingIsLeft(fixture, where);
    }
  });
}

/** From when a monitor works to when the agent knows that the process runs. */
const STARTS: ReadonlySet<FailpointName> = new Set([
  "monitor-begun",
  "container-group-taken",
  "container-record",
  "container-monitor",
  "container-created",
  "container-let-go",
  "container-released",
  "container-started",
]);

function placeOf({ failpoint, visit, kind, afterMs = 0 }: AgentDeath): string {
  return `${failpoint}, visit ${visit}, ${kind ?? "plain"}, ${afterMs} ms later`;
}

/** Groups are made ahead for those of which most pods come. */
function classOf({ kind }: AgentDeath): SandboxSpec["qosClass"] {
  return kind === "spares" ? "BestEffort" : "Burstable";
}

/** Ends what watches a container. */
function killMonitor(id: string): void {
  const own = `--cid\0${id}\0`;
  const monitor = readdirSync("/proc").find(
    (pid) => /^\d+$/.test(pid) && textOfFile(`/proc/${pid}/cmdline`).includes(own),
  );
  process.kill(Number(monitor), "SIGKILL");
}

/** The monitors are looked at every few seconds, and whenever a runtime recovers. */
async function seenAsEnded({ runtime }: Conformance, id: string): Promise<void> {
  for (let round = 0; round < 1000 && runtime.status(id)?.state === "running"; round++) {
    await runtime.recover();
    await sleep(systemClock, 10);
  }
}

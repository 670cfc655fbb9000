import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { silentLogger } from "../lib/logger.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { identify } from "./instance.ts";
import { createSupervisor } from "./supervisor.ts";

/** Stands for a process; the PID is our own, which is alive for sure. */
class FakeChild extends EventEmitter {
  pid = process.pid;
  connected = false;
  killed = false;
  kill(): boolean {
    this.killed = true;
    return true;
  }
  disconnect(): void {}
  unref(): void {}
}

function underTest(found: Parameters<typeof createSupervisor>[0]["found"] = []) {
  const clock = new VirtualClock();
  const children: FakeChild[] = [];
  let changes = 0;
  const supervisor = createSupervisor({
    found,
    onChange: () => changes++,
    clock,
    logger: silentLogger,
  });
  const member = {
    role: "proxy" as const,
    node: "one",
    start() {
      const child = new FakeChild();
      children.push(child);
      return child as unknown as ChildProcess;
    },
  };
  return { clock, children, supervisor, member, changes: () => changes };
}

test("a process that ends is started again, later each time", async () => {
  const { clock, children, supervisor, member } = underTest();
  const ready = supervisor.ensure(member);
  children[0]?.emit("message", "ready");
  await ready;
  for (const delayMs of [100, 200, 400]) {
    const count = children.length;
    children.at(-1)?.emit("exit", 1, null);
    await clock.advance(delayMs - 1);
    assert.deepEqual(supervisor.processes(), []);
    assert.equal(children.length, count);
    await clock.advance(1);
    assert.equal(children.length, count + 1);
    assert.equal(supervisor.processes()[0]?.pid, process.pid);
    children.at(-1)?.emit("message", "ready");
  }
  await clock.advance(60_000);
  children.at(-1)?.emit("exit", null, "SIGKILL");
  await clock.advance(100);
  assert.equal(children.length, 5);
  supervisor[Symbol.dispose]();
  assert.equal(clock.pendingTimers, 0);
});

test("a process that ends before it is ready is told of, and tried again", async () => {
  const { clock, children, supervisor, member } = underTest();
  const ready = supervisor.ensure(member);
  children[0]?.emit("exit", 3, null);
  await assert.rejects(ready, /the proxy of node "one" ended with 3/);
  await clock.advance(100);
  assert.equal(children.length, 2);
  supervisor[Symbol.dispose]();
  children[1]?.emit("exit", 3, null);
  await clock.advance(60_000);
  assert.equal(children.length, 2);
});

test("one that is not ready yet ends with the supervisor, a ready one goes on", async () => {
  const { children, supervisor, member } = underTest();
  const ready = supervisor.ensure(member);
  children[0]?.emit("message", "ready");
  await ready;
  const pending = supervisor.ensure({ ...member, node: "two" });
  supervisor[Symbol.dispose]();
  assert.deepEqual(
    children.map(({ killed }) => killed),
    [false, true],
  );
  children[1]?.emit("exit", null, "SIGTERM");
  await assert.rejects(pending, /node "two" ended with SIGTERM/);
});

test("one that an earlier daemon left is kept, and its end is noticed", async () => {
  const alive = identify("proxy", process.pid, "one");
  const kept = underTest([alive]);
  await kept.supervisor.ensure(kept.member);
  await kept.clock.advance(5_000);
  assert.equal(kept.children.length, 0);
  assert.deepEqual(kept.supervisor.processes(), [alive]);
  kept.supervisor[Symbol.dispose]();
  assert.equal(kept.clock.pendingTimers, 0);

  const gone = { ...alive, startTime: "0" };
  const replaced = underTest([gone]);
  const ready = replaced.supervisor.ensure(replaced.member);
  replaced.children[0]?.emit("message", "ready");
  await ready;
  assert.equal(replaced.children.length, 1);
  replaced.supervisor[Symbol.dispose]();
});

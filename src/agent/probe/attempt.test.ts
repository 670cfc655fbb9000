import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { ContainerRuntime } from "../runtime/contract.ts";
import { attempt, type ProbeAction } from "./attempt.ts";

/** What became of an attempt where commands end as told. */
async function outcome(
  action: ProbeAction,
  ended: { exitCode?: number; stdout?: string; timedOut?: boolean } = {},
) {
  const result = { exitCode: 1, stdout: "", stderr: "", timedOut: false, ...ended };
  const runtime = { execSync: () => Promise.resolve(result) } as unknown as ContainerRuntime;
  const target = { containerId: "c", podIp: "127.0.0.1", container: { name: "c" } };
  const rest = { timeoutMs: 1_000, userAgent: "kube-probe/1.32" };
  return await attempt(action, { target, runtime, ...rest } as Parameters<typeof attempt>[1]);
}

/** A port of this machine that nobody listens on, or that closes what it accepts. */
async function portThat(does: "refuses" | "hangs up") {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  if (does === "refuses") await close();
  return { port, [Symbol.asyncDispose]: does === "refuses" ? async () => {} : close };
}

test("a command's failure is what it printed, also if that is nothing", async () => {
  const exec = { command: ["sh", "-c", "check it"] };
  assert.equal(await outcome({ exec }, { stdout: "not yet\n" }), "not yet");
  assert.equal(await outcome({ exec }), "");
  assert.equal(await outcome({ exec }, { exitCode: 0 }), undefined);
  const late = 'command timed out: "sh -c check it" timed out after 1s';
  assert.equal(await outcome({ exec }, { timedOut: true }), late);
});

test("a port that nobody listens on is told in a kubelet's words", async () => {
  await using closed = await portThat("refuses");
  const { port } = closed;
  const refused = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
  assert.equal(await outcome({ tcpSocket: { port } }), refused);
  const got = await outcome({ httpGet: { port, path: "/ready" } });
  assert.equal(got, `Get "http://127.0.0.1:${port}/ready": ${refused}`);
  await using rude = await portThat("hangs up");
  const ended = await outcome({ httpGet: { port: rude.port } });
  assert.equal(ended, `Get "http://127.0.0.1:${rude.port}/": EOF`);
});

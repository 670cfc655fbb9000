import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Container } from "../../api/generated/types/core-v1.ts";
import { sleep } from "../../lib/clock.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import type { ContainerRuntime } from "../runtime/contract.ts";
import type { ProbeReport } from "./contract.ts";
import { createProber } from "./prober.ts";

const probe = { exec: { command: ["x"] }, periodSeconds: 1, failureThreshold: 2 };

/** Watches a container whose commands always fail; counts what it is asked in a minute. */
async function watch(
  more: Partial<Container>,
  takesMs = 0,
): Promise<{ asked: number; reports: ProbeReport[] }> {
  const clock = new VirtualClock();
  let asked = 0;
  const runtime = {
    execSync: async () => {
      asked++;
      if (takesMs > 0) await sleep(clock, takesMs);
      return { exitCode: 1, stdout: "", stderr: "", timedOut: false };
    },
  } as unknown as ContainerRuntime;
  const target = { containerId: "c", podIp: "", container: { name: "c", ...more } };
  const startedAtMs = clock.now();
  const reports: ProbeReport[] = [];
  const prober = createProber({ runtime, clock });
  using _ = prober.watch({ pod: {}, startedAtMs, ...target }, (one) => reports.push(one));
  for (let second = 0; second < 600; second++) await clock.advance(100);
  return { asked, reports };
}

const verdicts = (reports: readonly ProbeReport[]) =>
  reports.flatMap(({ probe: kind, verdict }) => (verdict ? [`${kind} ${verdict}`] : []));

test("a container that is to be restarted is asked no more", async () => {
  const liveness = await watch({ livenessProbe: probe });
  assert.deepEqual(verdicts(liveness.reports), ["liveness unhealthy"]);
  assert.ok(liveness.asked < 12, `asked ${liveness.asked} times`);
  const startup = await watch({ startupProbe: probe, readinessProbe: probe });
  assert.deepEqual(verdicts(startup.reports), ["startup unhealthy"]);
  assert.ok(startup.asked < 12, `asked ${startup.asked} times`);
});

test("a container that is not ready is asked on and on", async () => {
  const { asked, reports } = await watch({ readinessProbe: probe });
  assert.deepEqual(verdicts(reports), ["readiness unhealthy"]);
  assert.ok(asked > 50, `asked ${asked} times`);
});

test("a period lasts from one question to the next, however long the answer takes", async () => {
  const { asked } = await watch({ readinessProbe: probe }, 900);
  assert.ok(asked > 50, `asked ${asked} times`);
  const slow = await watch({ readinessProbe: { ...probe, timeoutSeconds: 3 } }, 2500);
  assert.ok(slow.asked > 20, `asked ${slow.asked} times`);
});

test("a hook over HTTPS is taken over HTTP by a server that knows no other way", async () => {
  const got: (string | undefined)[] = [];
  const server = createServer(({ headers, url }, response) => {
    got.push(url, headers.authorization, headers["x-a"] as string);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const prober = createProber({ runtime: {} as ContainerRuntime, clock: new VirtualClock() });
    const told: string[] = [];
    const run = (scheme: "HTTP" | "HTTPS", path: string) =>
      prober.runHook(
        {
          httpGet: {
            port,
            path,
            scheme,
            httpHeaders: [
              { name: "Authorization", value: "Bearer secret" },
              { name: "X-A", value: "b" },
            ],
          },
        },
        { pod: {}, startedAtMs: 0, containerId: "c", podIp: "127.0.0.1", container: { name: "c" } },
        { timeoutMs: 5_000, onFallback: (address) => told.push(address) },
      );
    await run("HTTPS", "/a");
    assert.deepEqual(got.splice(0), ["/a", undefined, "b"]);
    assert.deepEqual(told.splice(0), [`127.0.0.1:${port}`]);
    await run("HTTP", "/b");
    assert.deepEqual(got, ["/b", "Bearer secret", "b"]);
    assert.deepEqual(told, []);
  } finally {
    server.close();
  }
});

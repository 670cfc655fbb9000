import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Conformance, contains, GRACE_MS } from "./conformance-context.ts";
import type { ContainerSpec } from "./contract.ts";

/** Processes and what they may do. */
export function processConformance(on: Conformance): void {
  const { it, start, run, exitOf, sandboxSpec, containerSpec, fixture } = on;

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

  it("shows the devices of the node to privileged containers only", async () => {
    const { security } = containerSpec("x", {});
    const device = readdirSync("/dev", { withFileTypes: true }).find(
      (one) =>
        one.isCharacterDevice() && !/^(console|ptmx|tty|null|zero|full|u?random)$/.test(one.name),
    );
    assert.ok(device, "this machine has no device of its own");
    const look = `ls -l /dev/${device.name} && echo there`;
    const plain = await run(look);
    assert.ok(!plain.out.includes("there"), plain.out.join("\n"));
    const privileged = await run(look, { security: { ...security, privileged: true } });
    assert.equal(
      privileged.out.includes("there"),
      !fixture.hasOwnKernel,
      privileged.out.join("\n"),
    );
  });

  it("confines what runs in a container by the user's own seccomp profile, or does not run it", async () => {
    const denied = { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 1 };
    const profile = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [denied] };
    const directory = mkdtempSync(path.join(tmpdir(), "nephos-profile-"));
    const file = path.join(directory, "profile.json");
    writeFileSync(file, JSON.stringify(profile));
    const { security } = containerSpec("x", {});
    const spec = await start("mkdir /tmp/made || echo denied; exec sleep 1000", {
      security: { ...security, seccomp: file },
    });
    rmSync(directory, { recursive: true });
    await contains(spec.logPath, "denied");
    const command = on.runtime.execSync(spec.id, ["mkdir", "/tmp/made"], GRACE_MS);
    if (fixture.hasOwnKernel) {
      await assert.rejects(command, { code: "permission-denied", message: /seccomp profile/ });
    } else {
      assert.match((await command).stderr, /Operation not permitted/);
    }
    await on.runtime.removeSandbox(spec.sandboxId);
  });

  it("reports a process that a signal ended, and a stop in time", async () => {
    const { status } = await run("sh -c 'kill -9 $$'; exit $?");
    assert.equal(status.exitCode, 137);
    const polite = await start("trap 'exit 3' TERM; echo ready; while true; do sleep 0.05; done");
    await contains(polite.logPath, "ready");
    const stopped = await on.runtime.stopContainer(polite.id, { graceMs: GRACE_MS });
    assert.equal(stopped.exitCode, 3);
    const stubborn = await start("trap '' TERM; echo ready; while true; do sleep 0.05; done");
    await contains(stubborn.logPath, "ready");
    const killed = await on.runtime.stopContainer(stubborn.id, { graceMs: 50 });
    assert.equal(killed.exitCode, 137);
    assert.deepEqual(await on.runtime.stopContainer(stubborn.id, { graceMs: 50 }), killed);
    await on.runtime.removeSandbox(polite.sandboxId);
    await on.runtime.removeSandbox(stubborn.sandboxId);
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
      const sandboxId = on.nextPodId();
      await on.runtime.createSandbox(sandboxSpec(sandboxId));
      const spec = containerSpec(sandboxId, more);
      await assert.rejects(
        (async () => {
          await on.runtime.createContainer(spec);
          await on.runtime.startContainer(spec.id);
        })(),
        { code },
        code,
      );
      await on.runtime.removeSandbox(sandboxId);
    };
    const security = containerSpec("x", {}).security;
    await refused("command-not-found", { command: ["absent-command"] });
    await refused("command-not-found", { command: ["/absent/path"] });
    await refused("command-not-found", { command: [] });
    await refused("permission-denied", { command: ["/etc/passwd"] });
    await refused("permission-denied", { workingDirectory: "/proc/self/fd/7" });
    await refused("user-not-found", { security: { ...security, user: "nobody-knows" } });
    await refused("runs-as-root", { security: { ...security, runAsNonRoot: true } });
    await assert.rejects(on.runtime.startContainer("absent"), { code: "not-found" });
  });

  it(
    "names an image whose layers are gone, and starts once they are back",
    async () => {
      const sandboxId = on.nextPodId();
      await on.runtime.createSandbox(sandboxSpec(sandboxId));
      const layerPaths = [...fixture.image.layerPaths, "/nonexistent/layer"];
      const image = { ...fixture.image, references: ["busybox:1"], layerPaths };
      const spec = containerSpec(sandboxId, { command: ["true"], image });
      await assert.rejects(on.runtime.createContainer(spec), {
        message: 'Cannot use image "busybox:1": a layer of it is missing; import it again',
      });
      await on.runtime.createContainer({ ...spec, image: fixture.image });
      await on.runtime.startContainer(spec.id);
      assert.equal((await exitOf(spec.id)).exitCode, 0);
      await on.runtime.removeSandbox(sandboxId);
    },
    fixture.daemon ?? false,
  );
}

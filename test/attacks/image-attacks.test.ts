// Attacks by what an image holds, and by who shares a volume: nothing of the node is written, and
// nothing of it is seen.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { PODS } from "../../src/api/generated/resources.ts";
import type { Container, Pod } from "../../src/api/generated/types/core-v1.ts";
import type { TarInput } from "../../src/format/tar/tar-writer.ts";
import { busyboxArchive } from "../e2e/busybox-image.ts";
import { type NodeUnderTest, startNode } from "../e2e/node-under-test.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const CORE_PATTERN = "/proc/sys/kernel/core_pattern";
let node: NodeUnderTest;

before(async () => {
  if (!skip) node = await startNode();
});
after(async () => {
  await node?.[Symbol.asyncDispose]();
});

const statusOf = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0];
const link = (name: string, linkName: string): TarInput => ({ name, type: "symlink", linkName });

/** Runs one container to its end, or to the refusal to start it; what it said, and why not. */
async function outcomeOf(
  name: string,
  container: Omit<Container, "name">,
  volumes: NonNullable<Pod["spec"]>["volumes"] = [],
): Promise<{ said: string; refused: string }> {
  await node.run(name, {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 0,
    volumes,
    containers: [{ name: "app", ...container }],
  });
  const pod = await node.until(name, (seen) => {
    const { terminated, waiting } = statusOf(seen)?.state ?? {};
    return terminated !== undefined || waiting?.reason?.endsWith("Error") === true;
  });
  const target = { namespace: "default", name, container: "app" };
  const { terminated, waiting } = statusOf(pod)?.state ?? {};
  const stream = terminated?.exitCode === 128 || waiting ? undefined : await logOf(target);
  await node.client.for(PODS).delete({ namespace: "default", name });
  await node.until(name, (seen) => seen === undefined);
  const refused = waiting?.message ?? (terminated?.exitCode === 128 ? terminated.message : "");
  return { said: stream ?? "", refused: refused ?? "" };
}

async function logOf(target: { namespace: string; name: string; container: string }) {
  const stream = await node.agent().streams.logs(target, {}, AbortSignal.timeout(5_000));
  return Buffer.concat(await stream.toArray()).toString();
}

test("CVE-2025-52881, Flatcar#2418: links in place of /dev and its files lead nowhere", {
  skip,
}, async () => {
  const before = readFileSync(CORE_PATTERN, "utf8");
  const images: Record<string, TarInput[]> = {
    "no-dev": [],
    "null-link": [
      { name: "dev", type: "directory", mode: 0o755 },
      link("dev/null", CORE_PATTERN),
      link("dev/console", CORE_PATTERN),
      link("dev/pts", "/proc/sys"),
      link("dev/shm", "/sys"),
    ],
    "dev-link": [link("dev", "proc")],
  };
  for (const [name, entries] of Object.entries(images)) {
    const image = `docker.io/library/${name}:test`;
    await node.importImage(busyboxArchive({ name: image, entries }));
    for (const tty of [false, true]) {
      const { said, refused } = await outcomeOf(`${name}-${tty ? "tty" : "plain"}`, {
        image,
        tty,
        securityContext: { readOnlyRootFilesystem: true },
        command: [
          "sh",
          "-c",
          "echo attacked > /dev/null; echo attacked > /dev/console; busybox stat -f -c %T /dev/",
        ],
      });
      if (refused === "") assert.match(said, /^tmpfs\r?$/m, `${name}: ${said}`);
      assert.equal(readFileSync(CORE_PATTERN, "utf8"), before, name);
    }
  }
});

test("CVE-2025-31133, CVE-2025-52565: links in place of masked files uncover nothing", {
  skip,
}, async () => {
  const image = "docker.io/library/proc-link:test";
  const entries = [link("proc", "tmp"), link("sys", "tmp")];
  await node.importImage(busyboxArchive({ name: image, entries }));
  const { said } = await outcomeOf("proc-link", {
    image,
    command: ["sh", "-c", `echo x > ${CORE_PATTERN} && echo wrote; echo done`],
  });
  assert.doesNotMatch(said, /wrote/);
});

test("CVE-2021-30465: a volume whose mount point turns into a link is never mounted outside", {
  skip,
}, async () => {
  const base = mkdtempSync(path.join(tmpdir(), "nephos-attack-"));
  const [shared, own] = [path.join(base, "shared"), path.join(base, "own")];
  for (const directory of [shared, own]) mkdirSync(directory);
  writeFileSync(path.join(own, "mine"), "");
  const swap = `cd ${shared}; while :; do mkdir a; rmdir a; ln -s /proc/1/root a; rm a; done 2>/dev/null`;
  const attacker = spawn("/bin/busybox", ["sh", "-c", swap], { stdio: "ignore" });
  try {
    for (let round = 0; round < 8; round++) {
      const { said } = await outcomeOf(
        `race-${round}`,
        {
          command: ["sh", "-c", "ls /data/a/ /bin/busybox; test -e /data/a/boot && echo escaped"],
          volumeMounts: [
            { name: "shared", mountPath: "/data" },
            { name: "own", mountPath: "/data/a/etc" },
          ],
        },
        [
          { name: "shared", hostPath: { path: shared } },
          { name: "own", hostPath: { path: own } },
        ],
      );
      assert.doesNotMatch(said, /escaped/);
      assert.equal(existsSync("/etc/mine"), false);
    }
  } finally {
    const ended = new Promise((resolve) => attacker.once("close", resolve));
    attacker.kill("SIGKILL");
    await ended;
    rmSync(base, { recursive: true, force: true });
  }
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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
  open(options?: { creationMs?: number }): Promise<ContainerRuntime>;
  /** An image with busybox as /bin/sh and user "www" (uid 33, gid 34, in group "extra" 50). */
  image: LocalImage;
  logDirectory: string;
  /** One of the runtime's `podDirectories`. */
  podDirectory?: string;
  /** Where sandboxes have their network; they use the node's when absent. */
  networkNamespacePath?: string;
  /** Containers do not run on the kernel of the node. */
  hasOwnKernel: boolean;
  /** Somebody else's daemon keeps images and watches containers; the words are why, for skips. */
  daemon?: string;
  /** What is left in the kernel and on disk: names of mounts, groups, processes, files. */
  leftovers(): string[];
  /** A runtime that takes gVisor for another release than it is, where releases matter. */
  openStrange?(): Promise<ContainerRuntime>;
  /** Where its agent is made to die; nowhere when another fixture has tried the same code. */
  deaths: readonly AgentDeath[];
  /**
   * Runs an agent of its own that starts a container, and kills the agent; with a death to come it
   * goes on to run a command, and to remove all, and dies where that says. @throws when it does not
   */
  startAndDie(spec: {
    sandbox: SandboxSpec;
    container: ContainerSpec;
    death?: AgentDeath;
  }): Promise<void>;
}

/** A sandbox's holder comes to most places too, so a container is often the second one there. */
export interface AgentDeath {
  failpoint: FailpointName;
  /** From 1 on. */
  visit: number;
  /**
   * The sandbox has user ids of its own, its containers share their processes, some groups are
   * made ahead of it, or nothing expects the container.
   */
  kind?: "users" | "processes" | "spares" | "late";
  /** So much later: what the agent has begun goes on meanwhile. */
  afterMs?: number;
}

/** What the suites of the subjects work with. */
export interface Conformance {
  readonly fixture: RuntimeFixture;
  /** The runtime that is tried now. */
  readonly runtime: ContainerRuntime;
  /** Takes leave of it without a word to its containers, and opens another one. */
  reopen(): Promise<void>;
  nextPodId(): string;
  sandboxSpec(id: string): SandboxSpec;
  containerSpec(sandboxId: string, more: Partial<ContainerSpec>): ContainerSpec;
  /** Makes a container in a sandbox of its own. */
  create(more: Partial<ContainerSpec>): Promise<ContainerSpec>;
  /** The same with a shell's command, started. */
  start(command: string, more?: Partial<ContainerSpec>): Promise<ContainerSpec>;
  /** The same to its end; `out` is the log without what stands before the text. */
  run(
    command: string,
    more?: Partial<ContainerSpec>,
  ): Promise<{ status: ContainerStatus; lines: string[]; out: string[] }>;
  exitOf(id: string): Promise<ContainerStatus>;
  it(what: string, body: () => Promise<void>, skip?: string | false): void;
}

/** Time that a process needs at most to end when it is asked. */
export const GRACE_MS = 10_000;

/** Names tests after the implementation, and closes it after them. */
export function createConformance(name: string, fixture: RuntimeFixture): Conformance {
  let count = 0;
  let opened: ContainerRuntime | undefined;
  const runtime = (): ContainerRuntime => {
    if (!opened) throw new Error("the runtime is opened by the first test");
    return opened;
  };
  const nextPodId = () => `pod-${process.pid}-${++count}`;
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
    const sandboxId = nextPodId();
    const privileged = more.security?.privileged ?? false;
    await runtime().createSandbox({ ...sandboxSpec(sandboxId), privileged });
    const spec = containerSpec(sandboxId, more);
    await runtime().createContainer(spec);
    return spec;
  };
  const exitOf = (id: string) =>
    new Promise<ContainerStatus>((resolve) => {
      const known = runtime().status(id);
      if (known?.state === "exited") return resolve(known);
      const handle = runtime().onExit((status) => {
        if (status.id !== id) return;
        handle[Symbol.dispose]();
        resolve(status);
      });
    });
  const start = async (command: string, more: Partial<ContainerSpec> = {}) => {
    const spec = await create({ command: ["sh", "-c", command], ...more });
    await runtime().startContainer(spec.id);
    return spec;
  };
  const run = async (command: string, more: Partial<ContainerSpec> = {}) => {
    const spec = await start(command, more);
    const status = await exitOf(spec.id);
    const lines = readFileSync(spec.logPath, "utf8").trimEnd().split("\n");
    const out = lines.map((line) => line.split(" ").slice(3).join(" "));
    await runtime().removeSandbox(spec.sandboxId);
    return { status, lines, out };
  };
  after(async () => {
    await opened?.[Symbol.asyncDispose]();
    await fixture[Symbol.asyncDispose]();
  });
  return {
    fixture,
    get runtime() {
      return runtime();
    },
    async reopen() {
      await opened?.[Symbol.asyncDispose]();
      opened = await fixture.open();
    },
    nextPodId,
    sandboxSpec,
    containerSpec,
    create,
    start,
    run,
    exitOf,
    it(what, body, skip = false) {
      test(`${name}: ${what}`, { timeout: 120_000, skip }, async () => {
        opened ??= await fixture.open();
        await body();
      });
    },
  };
}

/** All that comes. */
export async function textOf(stream: AsyncIterable<unknown> | undefined): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

/** The monitor of a container ends a moment after the container. */
export async function nothingIsLeft(fixture: RuntimeFixture, when: string): Promise<void> {
  for (let attempt = 0; attempt < 200 && fixture.leftovers().length > 0; attempt++) {
    await sleep(systemClock, 20);
  }
  assert.deepEqual(fixture.leftovers(), [], when);
}

/** "" for a process that has just ended. */
export function textOfFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Waits until the file has the text. @throws AssertionError */
export async function contains(file: string, text: string): Promise<void> {
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

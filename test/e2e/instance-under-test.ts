import assert from "node:assert/strict";
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);

/** Outcome of a command. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** A real Nephos, started by its command line in a data directory of its own. */
export interface InstanceUnderTest extends AsyncDisposable {
  readonly dataDirectory: string;
  /** Runs `bin/nephos`; never throws. */
  nephos(...args: string[]): Promise<Outcome>;
  /** Runs kubectl; never throws. */
  kubectl(...args: string[]): Promise<Outcome>;
  /** Runs kubectl with `input` on its standard input. */
  kubectlWith(input: string, ...args: string[]): Promise<Outcome>;
  /** Runs kubectl and returns its output. @throws AssertionError when it fails */
  ok(...args: string[]): Promise<string>;
  /** A kubectl that goes on, such as `port-forward` or `get -w`. */
  start(...args: string[]): ChildProcess;
  /** PID of the daemon. */
  pid(): number;
}

/** Runs any program; never throws, a program that hangs is killed after 60 s. */
export async function outcomeOf(
  file: string,
  args: readonly string[],
  options: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  const running = run(file, [...args], {
    encoding: "utf8",
    maxBuffer: 64 << 20,
    timeout: 60_000,
    env: { ...process.env, ...options.env },
  });
  if (options.input !== undefined) running.child.stdin?.end(options.input);
  else running.child.stdin?.end();
  try {
    return { code: 0, ...(await running) };
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string; message: string };
    const code = typeof failed.code === "number" ? failed.code : 255;
    return { code, stdout: failed.stdout ?? "", stderr: failed.stderr ?? failed.message };
  }
}

/** Starts an instance; disposing it purges it and asserts that nothing of it is left. */
export async function startInstance(...flags: string[]): Promise<InstanceUnderTest> {
  const instance = prepareInstance();
  const started = await instance.nephos("up", "--detach", ...flags);
  if (started.code !== 0) {
    const log = readIfPresent(path.join(instance.dataDirectory, "nephos.log"));
    await instance[Symbol.asyncDispose]();
    assert.fail(`nephos up failed: ${started.stderr}${started.stdout}\n${log.slice(-4000)}`);
  }
  return instance;
}

/** An instance that is not started yet; its data directory is made in `parent`. */
export function prepareInstance(parent: string = tmpdir()): InstanceUnderTest {
  const dataDirectory = realpathSync(mkdtempSync(path.join(parent, "nephos-e2e-")));
  const env = { KUBECONFIG: path.join(dataDirectory, "kubeconfig"), HOME: dataDirectory };
  const kubectl = (...args: string[]) => outcomeOf("kubectl", args, { env });
  const nephos = ([command = "", ...args]: string[]) =>
    outcomeOf(path.join(ROOT, "bin/nephos"), [command, "--data-dir", dataDirectory, ...args]);
  return {
    dataDirectory,
    nephos: (...args) => nephos(args),
    kubectl,
    kubectlWith: (input, ...args) => outcomeOf("kubectl", args, { env, input }),
    async ok(...args) {
      const { code, stdout, stderr } = await kubectl(...args);
      if (code === 0) return stdout;
      const report = args.includes("wait") ? await reportOn(kubectl, dataDirectory) : "";
      assert.fail(`kubectl ${args.join(" ")}: ${stderr}${stdout}${report}`);
    },
    start: (...args) => spawn("kubectl", args, { env: { ...process.env, ...env } }),
    pid() {
      const { processes } = JSON.parse(
        readFileSync(path.join(dataDirectory, "instance.json"), "utf8"),
      ) as { processes: { role: string; pid: number }[] };
      return processes.find(({ role }) => role === "nephos")?.pid ?? 0;
    },
    async [Symbol.asyncDispose]() {
      const purged = await nephos(["down", "--purge"]);
      const remains = remainsOf(dataDirectory);
      rmSync(dataDirectory, { recursive: true, force: true });
      assert.equal(purged.code, 0, purged.stderr);
      assert.deepEqual(remains, []);
    },
  };
}

/** What the cluster looked like when something did not come true in time. */
async function reportOn(
  kubectl: (...args: string[]) => Promise<Outcome>,
  dataDirectory: string,
): Promise<string> {
  const kinds = "nodes,pods,replicasets,deployments,events";
  const { stdout, stderr } = await kubectl("get", kinds, "--all-namespaces");
  const log = readIfPresent(path.join(dataDirectory, "nephos.log"));
  return `${stdout}${stderr}\n${log.slice(-4000)}`;
}

/** Everything on this machine that still belongs to the instance. */
function remainsOf(dataDirectory: string): string[] {
  const id = createHash("sha256").update(dataDirectory).digest("hex").slice(0, 6);
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`)
    .map((pid) => readIfPresent(`/proc/${pid}/cmdline`).replaceAll("\0", " "))
    .filter((command) => command.includes(dataDirectory) || command.includes(`nephos-${id}`));
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(dataDirectory) || line.includes(`/run/nephos-${id}`));
  const links = execFileSync("ip", ["-o", "link"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => new RegExp(`: [cn]${id.slice(0, 3)}`).test(line));
  const run = readdirSync("/run").filter((name) => name.startsWith(`nephos-${id}`));
  const cgroups = readdirSync("/sys/fs/cgroup").filter((name) =>
    existsSync(path.join("/sys/fs/cgroup", name, `nephos-${id}`)),
  );
  const tables = execFileSync("nft", ["list", "tables"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(id));
  return [...processes, ...mounts, ...links, ...run, ...cgroups, ...tables];
}

function readIfPresent(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

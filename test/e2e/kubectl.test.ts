import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { importBusybox } from "./busybox-image.ts";
import { helpedCommands, isUsed } from "./kubectl-help.ts";
import { type InstanceUnderTest, outcomeOf, startInstance } from "./instance-under-test.ts";
import { oldKubectlFolder } from "./old-kubectl.ts";
import { type Answer, answers, matches, parseSession, recordSession, runStep } from "./session.ts";

const SESSIONS = path.resolve(import.meta.dirname, "../../../test/e2e/sessions");
const only = process.env["NEPHOS_SESSIONS"]?.split(",");
const record = process.env["NEPHOS_RECORD_SESSIONS"] === "1";
const root = process.getuid?.() === 0;
const found = (await outcomeOf("kubectl", ["version", "--client"])).code === 0;
const skip = root ? (found ? false : "kubectl is not installed") : "needs root";

let instance: InstanceUnderTest;

before(async () => {
  if (skip) return;
  instance = await startInstance("--listen", "127.0.0.1:6443", "--legacy-apis");
  await importBusybox(instance);
});
after(async () => {
  await instance?.[Symbol.asyncDispose]();
});

test("a session's output is compared line by line", () => {
  assert.ok(matches(["NAME   AGE", "web-[..] [..]s"], ["NAME      AGE", "web-x1   2s"]));
  assert.ok(matches(["a", "...", "z"], ["a", "b", "c", "z"]));
  assert.ok(!matches(["a", "...", "z"], ["a", "b"]));
  assert.ok(!matches(["deployment.apps/web created"], ["deployment.apps/web unchanged"]));
  assert.ok(!matches(["a"], ["a", "b"]) && !matches(["a", "b"], ["a"]));
  assert.throws(() => parseSession("output\n"), /without a command/);
});

/** What kubectl does with them is the same for every command that has them. */
const ALIKE: ReadonlySet<string> = new Set([
  "allow-missing-template-keys",
  "append-hash",
  "dry-run",
  "field-manager",
  "filename",
  "kustomize",
  "local",
  "output",
  "recursive",
  "save-config",
  "show-managed-fields",
  "template",
  "tty",
  "validate",
]);
/** By "command --flag" or the flag alone, with the reason. */
const UNUSED: Readonly<Record<string, string>> = {
  "windows-line-endings": "of another system",
  "output-patch": "of another system",
  "config set-credentials --auth-provider": "its plugins are gone since 1.26",
  "config set-credentials --auth-provider-arg": "its plugins are gone since 1.26",
  "kustomize --as-current-user": "runs plugins in containers of another engine",
  "kustomize --enable-alpha-plugins": "runs plugins in containers of another engine",
  "kustomize --env": "runs plugins in containers of another engine",
  "kustomize --mount": "runs plugins in containers of another engine",
  "kustomize --network": "runs plugins in containers of another engine",
  "kustomize --network-name": "runs plugins in containers of another engine",
  "kustomize --enable-helm": "needs helm",
  "kustomize --helm-api-versions": "needs helm",
  "kustomize --helm-command": "needs helm",
  "kustomize --helm-debug": "needs helm",
  "kustomize --helm-kube-version": "needs helm",
};

test("every command and flag of kubectl's help stands in a session", { skip }, () => {
  const commands = readdirSync(SESSIONS)
    .filter((name) => name.endsWith(".session"))
    .flatMap((name) => parseSession(readFileSync(path.join(SESSIONS, name), "utf8")))
    .map(({ command }) => command);
  const helped = helpedCommands();
  const missing = helped.flatMap(({ name, flags }) => {
    if (!isUsed(commands, name)) return [name];
    return flags
      .filter((flag) => !(flag.name in UNUSED) && !(`${name} --${flag.name}` in UNUSED))
      .filter((flag) => !ALIKE.has(flag.name) && !isUsed(commands, name, flag))
      .map((flag) => `${name} --${flag.name}`);
  });
  assert.ok(helped.length > 80, `${helped.length} commands`);
  assert.deepEqual(missing, []);
});

describe("kubectl sessions that run alone", { skip }, () => {
  declareSessions(SESSIONS, { chosen: isAlone });
});

describe("kubectl sessions", { concurrency: 3, skip }, () => {
  declareSessions(SESSIONS, { chosen: (name) => !isAlone(name) });
});

const old = oldKubectlFolder();
const oldSkip = skip || (old ? false : "apt has no kubernetes-client 1.20");

describe("kubectl 1.20 sessions", { concurrency: 3, skip: oldSkip }, () => {
  declareSessions(path.join(SESSIONS, "kubectl-1.20"), { client: old });
});

/** This one speaks of all nodes, of which others make some. */
function isAlone(name: string): boolean {
  return name === "node";
}

/** Which sessions of a folder run, and the folder of a kubectl that PATH would not find. */
interface Declared {
  chosen?: (name: string) => boolean;
  client?: string | undefined;
}

function declareSessions(folder: string, { chosen = () => true, client }: Declared): void {
  const files = readdirSync(folder).filter((name) => name.endsWith(".session"));
  for (const file of files) {
    const name = path.basename(file, ".session");
    if (!chosen(name) || (only && !only.includes(name))) continue;
    test(name, async (session) => {
      const source = path.join(folder, file);
      const env = await environmentOf(name, client);
      const answered = new Map<number, Answer>();
      for (const step of parseSession(readFileSync(source, "utf8"))) {
        const [title = ""] = step.command.split("\n");
        await session.test(`${file}:${step.line} ${title}`, async () => {
          const answer = await runStep(step, { cwd: SESSIONS, env });
          answered.set(step.line, answer);
          if (record || answers(step, answer)) return;
          assert.deepEqual(answer, { lines: step.expected, code: step.code });
        });
      }
      if (record) recordSession(source, answered);
    });
  }
}

/** A home, a kubeconfig and a namespace for each session, so that none sees the others. */
async function environmentOf(name: string, client?: string): Promise<NodeJS.ProcessEnv> {
  const home = path.join(instance.dataDirectory, "sessions", name);
  mkdirSync(home, { recursive: true });
  const kubeconfig = path.join(home, "kubeconfig");
  copyFileSync(path.join(instance.dataDirectory, "kubeconfig"), kubeconfig);
  // npm adds folders that need not exist, and kubectl tells of each.
  const folders = (process.env["PATH"] ?? "").split(":");
  const kept = folders.filter((folder) => !folder.includes("node_modules"));
  const PATH = [...(client ? [client] : []), ...kept].join(":");
  const own = { HOME: home, KUBECONFIG: kubeconfig, PATH, TZ: "UTC", COLUMNS: "200" };
  const env = { ...process.env, ...own };
  const steps = [
    ["create", "namespace", name],
    ["config", "set-context", "--current", `--namespace=${name}`],
  ];
  for (const args of steps) {
    const { code, stderr } = await outcomeOf("kubectl", args, { env });
    assert.equal(code, 0, stderr);
  }
  return env;
}

#!/usr/bin/env node
import { StoreError } from "../store/errors.ts";
import { CommandError } from "./command-error.ts";

const HELP = `Nephos: Kubernetes' API, containers, images and networking in one light process.

usage: nephos COMMAND [--data-dir D] [flags]

  up          start        [--listen ADDR:PORT] [--nodes N] [--detach] [--config FILE]
                           [--store lmdb|memory] [--cluster-cidr C] [--service-cidr C]
                           [--pod-security privileged|baseline|restricted]
                           [--legacy-service-account-tokens] [--legacy-apis: list them]
                           [--scheduler-config FILE]
                           [--load-balancer nodes|none|RANGE] [--ingress HTTP,HTTPS|none]
                           [--audit-policy FILE] [--agent-config FILE: a KubeletConfiguration]
                           [--container-runtime-endpoint unix:///…/containerd.sock]
                           [--node-monitor-grace-period 50s: then a silent node is lost]
                           [--authentication-config FILE: issuers of tokens]
                           [--encryption-provider-config FILE: what is stored, encrypted]
                           [--encryption-provider-config-automatic-reload]
                           [--cors-allowed-origins PATTERN,…] [--tracing-config-file FILE]
                           [--oidc-issuer-url URL --oidc-client-id ID …, as kube-apiserver's]
  down        stop         [--purge: also remove containers, networks and data]
                           [--shutdown: end the pods first, as before the machine goes down]
  status      processes, memory, nodes                          [-o json]
  kubeconfig  print the administrator's kubeconfig
  image       import FILE [--name REF] | pull REF [--credentials FILE]
                           | list | remove REF                  [-o json]
  apiserver   the API server alone, in the foreground   [flags of up]
  controllers the controllers and the scheduler alone   --kubeconfig FILE [--ca FILE]
                           [--service-account-key FILE] [--legacy-service-account-tokens]
                           [--scheduler-config FILE] [--node-monitor-grace-period 50s]
                           [--secure-port PORT, as kube-controller-manager's]
                           [--metrics ADDR:PORT: plain HTTP on a loopback address]
  cri         the runtime of a kubelet, in the foreground   [--socket PATH] [--pod-cidr C]
                           [--cluster-cidr C] [--kubelet-dir D]
  doctor      what this host can do                             [-o json]
  version     print the version                                 [-o json]

Default data directory: /var/lib/nephos. Then: export KUBECONFIG=/var/lib/nephos/kubeconfig
`;

type Command = (args: readonly string[]) => number | Promise<number>;

/** Commands load on demand: `status` must not pay for the API server. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import("./up.ts")).up,
  serve: async () => (await import("./serve.ts")).serve,
  apiserver: async () => (await import("./apiserver.ts")).apiserver,
  controllers: async () => (await import("./controllers.ts")).controllers,
  agent: async () => (await import("./agent.ts")).agent,
  cri: async () => (await import("./cri.ts")).cri,
  proxy: async () => (await import("./nephos-proxy.ts")).proxy,
  down: async () => (await import("./down.ts")).down,
  status: async () => (await import("./status.ts")).status,
  kubeconfig: async () => (await import("./kubeconfig.ts")).kubeconfig,
  image: async () => (await import("./image.ts")).image,
  doctor: async () => (await import("./doctor.ts")).doctor,
  version: async () => (await import("./version.ts")).version,
  help: () => Promise.resolve(help),
};

function help(): number {
  process.stdout.write(HELP);
  return 0;
}

/** What the system refused needs no stack to be understood. @throws anything unexpected */
function explain(error: unknown): { message: string; exitCode: number } {
  if (error instanceof CommandError) return error;
  if (error instanceof StoreError) return { message: error.message, exitCode: 1 };
  const { message, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof Error && syscall !== undefined) return { message, exitCode: 1 };
  throw error;
}

async function main([name = "help", ...args]: readonly string[]): Promise<number> {
  const load = COMMANDS[name.replace(/^--/, "")];
  if (!load)
    throw new CommandError(`"${name}" is not a command; see "nephos help"`, { exitCode: 2 });
  if (args.includes("--help")) return help();
  const command = await load();
  return await command(args);
}

/** As a shell tells of SIGPIPE. */
const NOBODY_READS = 141;

// Whoever reads what is written may stop, as `head` does: that is no fault of the command.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(NOBODY_READS);
});

// Timers of the clock do not keep a process alive; a command that waits for one must go on.
const keepAlive = setInterval(() => {}, 3_600_000);
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { message, exitCode } = explain(error);
  process.stderr.write(`nephos: ${message}\n`);
  process.exitCode = exitCode;
} finally {
  clearInterval(keepAlive);
}

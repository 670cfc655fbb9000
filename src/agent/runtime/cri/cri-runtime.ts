import path from "node:path";
import { openCgroups } from "../../../sys/cgroup.ts";
import { type ContainerRuntime, RuntimeError, type SandboxStatus } from "../contract.ts";
import { measuredCgroups } from "../measured-cgroups.ts";
import { podCgroup } from "../runtime-context.ts";
import { type SandboxGroups, sandboxStats } from "../sandbox-stats.ts";
import { adoptedNetworks } from "./adopted-networks.ts";
import {
  containerCgroup,
  createContainer,
  refreshed,
  removeContainer,
  startContainer,
  stopContainer,
  updateContainer,
} from "./cri-containers.ts";
import { type CriContext, type CriRuntimeOptions, criError } from "./cri-context.ts";
import { type CriFacts, readFacts } from "./cri-endpoint.ts";
import { watchExits } from "./cri-exits.ts";
import { ofNode, specOf } from "./cri-objects.ts";
import { createSandbox, removeSandbox, stopSandbox, updateSandbox } from "./cri-sandboxes.ts";
import { attachSession, execSession, execSync } from "./cri-streams.ts";
import { createCriTable } from "./cri-table.ts";

/** A container runtime behind the CRI. */
export interface CriRuntime extends ContainerRuntime {
  readonly facts: CriFacts;
  /** Removes all that this node has there, and what was installed for it. Idempotent. */
  purge(): Promise<void>;
}

/**
 * Runs containers by somebody else's runtime, such as containerd, through the Container Runtime
 * Interface. That runtime keeps them alive and remembers them; a new agent asks it what there is.
 * @throws RuntimeError when nobody answers, or what answers cannot be used
 */
export async function createCriRuntime(options: CriRuntimeOptions): Promise<CriRuntime> {
  const { client } = options;
  const facts = await readFacts(client).catch((error: unknown) => {
    throw criError(error);
  });
  const table = createCriTable();
  const networks = adoptedNetworks(facts);
  const { failpoint = () => {} } = options;
  const cgroups = measuredCgroups(openCgroups(), () => options.clock.monotonicMs());
  const own = { table, networks, failpoint, cgroups };
  const context: CriContext = { options, client, facts, ...own };
  const exits = watchExits(context);
  const runtime: CriRuntime = {
    facts,
    async recover() {
      await recover(context);
      return {
        sandboxes: Array.from(table.sandboxes, ([id, { spec, createdAtMs }]): SandboxStatus => {
          return { id, spec, createdAtMs };
        }),
        containers: runtime.containers(),
      };
    },
    handlers: () => facts.handlers,
    prepareUsers() {
      const why = `the CRI of ${facts.name} ${facts.version} has no user namespaces`;
      const message = `Cannot give the pod user ids of its own: ${why}`;
      return Promise.reject(new RuntimeError("runtime-failed", message));
    },
    createSandbox: (spec) => createSandbox(context, spec),
    stopSandbox: (id) => stopSandbox(context, id),
    removeSandbox: (id) => removeSandbox(context, id),
    prepareNext: () => {},
    expectContainer: () => {},
    createContainer: (spec) => createContainer(context, spec),
    startContainer: (id) => startContainer(context, id),
    stopContainer: (id, stop) => stopContainer(context, id, stop),
    removeContainer: (id) => removeContainer(context, id),
    status: (id) => table.containers.get(id)?.status,
    containers: (sandboxId) =>
      Array.from(table.containers.values(), ({ status }) => status).filter(
        (status) => sandboxId === undefined || status.sandboxId === sandboxId,
      ),
    onExit: (handler) => table.onExit(handler),
    onKernel: () => ({ [Symbol.dispose]: () => {} }),
    execSync: (id, command, timeoutMs) => execSync(context, id, { command, timeoutMs }),
    exec: (id, exec) => execSession(context, id, exec),
    attach: (id, streams) => attachSession(context, id, streams),
    reopenLog: (id) => reopenLog(context, id),
    updateSandbox: async (id, resources) =>
      await Promise.resolve().then(() => updateSandbox(context, id, resources)),
    updateResources: (id, limits) => updateContainer(context, { id, limits }),
    writableLayer: (id) =>
      table.containers.get(id)?.layer ?? path.join(facts.stateDirectory, "no-layer", id),
    stats: async (id, asked) =>
      await Promise.resolve().then(() =>
        sandboxStats(context.cgroups, groupsOf(context, id), asked),
      ),
    metrics: () => cgroups.metrics(),
    async purge() {
      await recover(context);
      for (const id of table.sandboxes.keys()) await removeSandbox(context, id);
      networks.uninstall();
    },
    [Symbol.asyncDispose]() {
      exits[Symbol.dispose]();
      return Promise.resolve();
    },
  };
  return runtime;
}

/** Asks the runtime for all that this node has there. */
async function recover(context: CriContext): Promise<void> {
  const { client, table, options } = context;
  const filter = { labelSelector: ofNode(options.cgroupRoot) };
  const [{ items }, { containers }] = await Promise.all([
    client.call("RuntimeService/ListPodSandbox", { filter }),
    client.call("RuntimeService/ListContainers", { filter }),
  ]);
  const byAge = items.toSorted((a, b) => a.createdAt - b.createdAt);
  const found = new Map<string, string[]>();
  for (const { id, annotations, createdAt } of byAge) {
    const spec = specOf(annotations);
    if (!spec) continue;
    const remoteIds = [...(found.get(spec.id) ?? []), id];
    found.set(spec.id, remoteIds);
    const known = table.sandboxes.get(spec.id);
    const fresh = { spec, createdAtMs: Math.round(createdAt / 1e6) };
    table.sandboxes.set(spec.id, { ...(known ?? fresh), remoteIds });
  }
  for (const { id } of containers) await refreshed(context, id);
}

async function reopenLog(context: CriContext, id: string): Promise<void> {
  const { status, remoteId: containerId } = context.table.container(id);
  if (status.state !== "running") {
    const message = `Cannot reopen the log of container "${status.name}": it does not run`;
    throw new RuntimeError("not-running", message);
  }
  try {
    await context.client.call("RuntimeService/ReopenContainerLog", { containerId });
  } catch (error) {
    throw criError(error);
  }
}

/** From the groups themselves, as everywhere: the interface knows less. */
function groupsOf(context: CriContext, id: string): SandboxGroups {
  const { table, options } = context;
  return {
    atMs: options.clock.now(),
    group: podCgroup(options.cgroupRoot, table.sandbox(id).spec),
    containers: table
      .inSandbox(id)
      .map(({ status }) => ({ status, group: containerCgroup(context, status.id) })),
  };
}

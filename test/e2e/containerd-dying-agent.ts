// An agent on containerd that is killed at a place, or right after it has started a container:
//   node containerd-dying-agent.js JSON
import type { AgentDeath } from "../../src/agent/runtime/conformance-context.ts";
import type { ContainerSpec, SandboxSpec } from "../../src/agent/runtime/contract.ts";
import { connectCri } from "../../src/agent/cri-client.ts";
import { socketOf } from "../../src/agent/runtime/cri/cri-endpoint.ts";
import { createCriRuntime } from "../../src/agent/runtime/cri/cri-runtime.ts";
import { silentLogger } from "../../src/lib/logger.ts";
import { systemClock } from "../../src/sys/clock.ts";

const { sandbox, container, death, endpoint, cgroupRoot } = JSON.parse(process.argv[2] ?? "{}") as {
  sandbox: SandboxSpec;
  container: ContainerSpec;
  death?: AgentDeath;
  endpoint: string;
  cgroupRoot: string;
};
const die = () => process.kill(process.pid, "SIGKILL");
let visits = 0;
const runtime = await createCriRuntime({
  client: connectCri(socketOf(endpoint)),
  cgroupRoot,
  failpoint: (name) => {
    if (name === death?.failpoint && ++visits === death.visit) die();
  },
  clock: systemClock,
  logger: silentLogger,
});
await runtime.recover();
await runtime.createSandbox(sandbox);
await runtime.createContainer(container);
await runtime.startContainer(container.id);
if (!death) die();
await runtime.removeSandbox(sandbox.id);
process.exit(3);

import type { ContainerTarget, SessionBackend } from "../agent/stream/contract.ts";
import { connectLocally } from "../agent/stream/local-connection.ts";
import type { StreamRequest } from "../agent/stream/stream-request.ts";
import type * as cri from "../format/cri/generated.ts";
import type { Outgoing } from "../format/protobuf/message-codec.ts";
import { type CriContext, requireContainer, requireSandbox } from "./cri-context.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";
import { requireNetwork } from "./sandbox-network.ts";
import { namespacesOf } from "./sandbox-spec.ts";
import { NamespaceMode } from "../format/cri/generated.ts";

/** Longest delay of a timer, 24 days: what "forever" comes to. */
const FOREVER_MS = 2 ** 31 - 1;

/** Runs a command to its end. @throws GrpcError "deadline-exceeded" when it had to be killed */
export async function execSync(
  context: CriContext,
  { containerId, cmd, timeout }: cri.ExecSyncRequest,
): Promise<Outgoing<cri.ExecSyncResponse>> {
  const { id } = requireRunning(context, containerId);
  const timeoutMs = timeout > 0 ? Math.min(timeout * 1000, FOREVER_MS) : FOREVER_MS;
  const { exitCode, stdout, stderr, timedOut } = await context.runtime.execSync(id, cmd, timeoutMs);
  if (timedOut) {
    const command = cmd.join(" ");
    throw new GrpcError("deadline-exceeded", `command "${command}" timed out after ${timeout} s`);
  }
  return { exitCode, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
}

/** @throws GrpcError */
function requireRunning(context: CriContext, containerId: string): { id: string } {
  const record = requireContainer(context, containerId);
  if (context.runtime.status(record.id)?.state === "running") return record;
  throw new GrpcError("failed-precondition", `container "${record.id}" does not run`);
}

/** Streams as the node's own endpoint names them. */
function streamQuery(of: cri.ExecRequest | cri.AttachRequest): URLSearchParams {
  const { stdin, stdout, stderr, tty } = of;
  if (!stdin && !stdout && !stderr) {
    throw new GrpcError("invalid-argument", "one of stdin, stdout, stderr must be asked for");
  }
  if (tty && stderr) {
    throw new GrpcError("invalid-argument", "with a terminal, stderr comes on stdout");
  }
  const query = new URLSearchParams();
  for (const [name, wanted] of Object.entries({ stdin, stdout, stderr, tty })) {
    if (wanted) query.set(name, "true");
  }
  return query;
}

function offer(
  { streaming }: CriContext,
  { verb, id, query }: { verb: StreamRequest["verb"]; id: string; query: URLSearchParams },
): { url: string } {
  const target: ContainerTarget = { namespace: "", name: id, container: id };
  return { url: streaming.offer({ verb, target, query }) };
}

/** A URL under which a command can be run. */
export function offerExec(context: CriContext, request: cri.ExecRequest): { url: string } {
  const { id } = requireRunning(context, request.containerId);
  if (request.cmd.length === 0) throw new GrpcError("invalid-argument", "no command was given");
  const query = streamQuery(request);
  for (const word of request.cmd) query.append("command", word);
  return offer(context, { verb: "exec", id, query });
}

/** A URL under which the streams of a container can be joined. */
export function offerAttach(context: CriContext, request: cri.AttachRequest): { url: string } {
  const { id } = requireRunning(context, request.containerId);
  return offer(context, { verb: "attach", id, query: streamQuery(request) });
}

/** A URL under which ports of a sandbox can be reached. */
export function offerPortForward(
  context: CriContext,
  { podSandboxId, port }: cri.PortForwardRequest,
): { url: string } {
  const record = requireSandbox(context, podSandboxId);
  if (!record.ready) {
    throw new GrpcError("failed-precondition", `sandbox "${record.id}" is stopped`);
  }
  const query = new URLSearchParams();
  for (const number of port) query.append("port", `${number}`);
  return offer(context, { verb: "portForward", id: record.id, query });
}

/** What the offered streams lead to; a target's container, or its name, is an id here. */
export function sessionBackend(
  context: Pick<CriContext, "runtime" | "network" | "sandboxes">,
): SessionBackend {
  const { runtime } = context;
  return {
    exec: ({ container }, options) => runtime.exec(container, options),
    attach: ({ container }, options) => runtime.attach(container, options),
    async portForward({ name }, port) {
      const record = context.sandboxes.find(name);
      if (!record) throw new GrpcError("not-found", `Cannot find sandbox "${name}"`);
      if (namespacesOf(record.config).network === NamespaceMode.NODE) return connectLocally(port);
      return requireNetwork(context.network).connect(record.id, { host: "localhost", port });
    },
  };
}

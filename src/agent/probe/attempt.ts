import { connect } from "node:net";
import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  TCPSocketAction,
} from "../../api/generated/types/core-v1.ts";
import { commandTimedOut, dialFailure } from "./failure-words.ts";
import { attemptGrpc } from "./grpc-attempt.ts";
import { attemptHttp } from "./http-attempt.ts";
import { type AttemptContext, type Outcome, SUCCESS } from "./outcome.ts";
import { addressOf, portOf } from "./target-address.ts";

/** What a probe or a hook can do; exactly one field is set. */
export interface ProbeAction {
  exec?: ExecAction;
  httpGet?: HTTPGetAction;
  tcpSocket?: TCPSocketAction;
  grpc?: GRPCAction;
}

const OUTPUT_MAX_BYTES = 10 << 10;

/** Performs one attempt; never throws. */
export async function attempt(action: ProbeAction, context: AttemptContext): Promise<Outcome> {
  try {
    if (action.exec) return await attemptExec(action.exec, context);
    if (action.httpGet) return await attemptHttp(action.httpGet, context);
    if (action.tcpSocket) return await attemptTcp(action.tcpSocket, context);
    if (action.grpc) return await attemptGrpc(action.grpc, context);
    return { result: "error", message: "the probe names no action" };
  } catch (error) {
    return { result: "error", message: (error as Error).message };
  }
}

async function attemptExec({ command }: ExecAction, context: AttemptContext): Promise<Outcome> {
  const { runtime, target, timeoutMs } = context;
  const ended = await runtime.execSync(target.containerId, command ?? [], timeoutMs);
  if (ended.timedOut) {
    return { result: "failure", message: commandTimedOut(command ?? [], timeoutMs) };
  }
  if (ended.exitCode === 0) return SUCCESS;
  const output = Buffer.from(ended.stdout + ended.stderr).subarray(0, OUTPUT_MAX_BYTES);
  return { result: "failure", message: output.toString() };
}

function attemptTcp(action: TCPSocketAction, context: AttemptContext): Promise<Outcome> {
  const { target, timeoutMs } = context;
  const host = action.host || target.podIp;
  const port = portOf(action.port, target);
  const address = addressOf(host, port);
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (message?: string) => {
      socket.destroy();
      resolve(message === undefined ? SUCCESS : { result: "failure", message });
    };
    socket.setTimeout(timeoutMs, () => finish(`dial tcp ${address}: i/o timeout`));
    socket.once("connect", () => finish());
    socket.once("error", (error) => finish(dialFailure(address, error)));
  });
}

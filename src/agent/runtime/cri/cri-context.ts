import { GrpcError } from "../../../format/grpc/grpc-status.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Logger } from "../../../lib/logger.ts";
import type { CriClient } from "../../cri-client.ts";
import { RuntimeError } from "../contract.ts";
import type { Failpoint } from "../failpoints.ts";
import type { MeasuredCgroups } from "../measured-cgroups.ts";
import type { AdoptedNetworks } from "./adopted-networks.ts";
import type { CriFacts } from "./cri-endpoint.ts";
import type { CriTable } from "./cri-table.ts";

/** What a runtime on somebody's CRI needs. */
export interface CriRuntimeOptions {
  /** It stays the caller's. */
  client: CriClient;
  /** Group that holds all pods, such as "/nephos/0"; it also tells this node's objects from others. */
  cgroupRoot: string;
  /** For tests: told of each step. */
  failpoint?: Failpoint;
  clock: Clock;
  logger: Logger;
}

/** What the parts of such a runtime share. */
export interface CriContext {
  readonly options: CriRuntimeOptions;
  readonly client: CriClient;
  readonly facts: CriFacts;
  readonly table: CriTable;
  readonly networks: AdoptedNetworks;
  readonly cgroups: MeasuredCgroups;
  readonly failpoint: Failpoint;
}

/** Whether the runtime does not have what the call was about. */
export function isAbsent(error: unknown): boolean {
  return error instanceof GrpcError && error.code === "not-found";
}

/** Gives the words of the runtime a code. */
export function criError(error: unknown, command = ""): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const words = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  if (!(error instanceof GrpcError)) return new RuntimeError("runtime-failed", words, cause);
  if (/no (users|groups) found|no matching entries in (passwd|group) file/.test(words)) {
    return new RuntimeError("user-not-found", words, cause);
  }
  const missing = /executable file not found|no such file or directory/i;
  if (command && missing.test(words) && words.includes(command)) {
    const message = `exec: "${command}": executable file not found in the image: ${words}`;
    return new RuntimeError("command-not-found", message, cause);
  }
  if (/permission denied|operation not permitted/i.test(words)) {
    const message = `exec: "${command}": permission denied: ${words}`;
    return new RuntimeError("permission-denied", message, cause);
  }
  if (/no space left/i.test(words)) return new RuntimeError("no-space", words, cause);
  if (error.code === "not-found") return new RuntimeError("not-found", words, cause);
  return new RuntimeError("runtime-failed", words, cause);
}

import type { FarFiles } from "../agent/far-files.ts";
import type { ImageStore } from "../agent/image/contract.ts";
import type { ContainerRuntime } from "../agent/runtime/contract.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import type { ContainerEvents } from "./container-events.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";
import type { ContainerRecord, RecordTable, SandboxRecord } from "./record-table.ts";
import type { SandboxNetwork } from "./sandbox-network.ts";
import type { StreamingServer } from "./streaming-server.ts";

/** What the calls of both services share. */
export interface CriContext {
  readonly runtime: ContainerRuntime;
  readonly images: ImageStore;
  readonly network: SandboxNetwork;
  readonly far: FarFiles;
  readonly sandboxes: RecordTable<SandboxRecord>;
  readonly containers: RecordTable<ContainerRecord>;
  readonly events: ContainerEvents;
  readonly streaming: StreamingServer;
  /** Files of /etc, by sandbox. */
  readonly filesDirectory: string;
  readonly imageDirectory: string;
  readonly hostname: string;
  readonly version: string;
  readonly bootId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** @throws GrpcError "not-found" */
export function requireSandbox({ sandboxes }: CriContext, id: string): SandboxRecord {
  const record = sandboxes.find(id);
  if (record) return record;
  throw new GrpcError("not-found", `Cannot find sandbox "${id}"`);
}

/** @throws GrpcError "not-found" */
export function requireContainer({ containers }: CriContext, id: string): ContainerRecord {
  const record = containers.find(id);
  if (record) return record;
  throw new GrpcError("not-found", `Cannot find container "${id}"`);
}

/** Nanoseconds since 1970 of a time in milliseconds; 0 for none. */
export function nanoseconds(epochMs: number | undefined): number {
  return (epochMs ?? 0) * 1e6;
}

/** Whether all of `wanted` are among `labels`. */
export function hasLabels(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>> = {},
): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

/** A name that no other sandbox or container has. */
export function newId(random: Random): string {
  return Buffer.from(random.bytes(ID_BYTES)).toString("hex");
}

const ID_BYTES = 16;

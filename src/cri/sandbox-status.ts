import type * as cri from "../format/cri/generated.ts";
import { PodSandboxState } from "../format/cri/generated.ts";
import type { Outgoing } from "../format/protobuf/message-codec.ts";
import { hasLabels, nanoseconds } from "./cri-context.ts";
import type { SandboxRecord } from "./record-table.ts";

function stateOf({ ready }: SandboxRecord): number {
  return ready ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY;
}

/** The sandbox as a list has it. */
export function listedSandbox(record: SandboxRecord): Outgoing<cri.PodSandbox> {
  const { id, config, createdAtMs, runtimeHandler } = record;
  return {
    id,
    metadata: config.metadata,
    state: stateOf(record),
    createdAt: nanoseconds(createdAtMs),
    labels: config.labels,
    annotations: config.annotations,
    runtimeHandler,
  };
}

/** The sandbox with all that is known of it. */
export function sandboxStatus(record: SandboxRecord): Outgoing<cri.PodSandboxStatus> {
  const options = record.config.linux?.securityContext?.namespaceOptions;
  return {
    ...listedSandbox(record),
    network: { ip: record.ip },
    linux: { namespaces: { options: options ?? {} } },
  };
}

/** Whether a filter of a list lets the sandbox through. */
export function sandboxMatches(
  record: SandboxRecord,
  filter: cri.PodSandboxFilter | undefined,
): boolean {
  if (!filter) return true;
  return (
    record.id.startsWith(filter.id) &&
    (!filter.state || filter.state.state === stateOf(record)) &&
    hasLabels(record.config.labels, filter.labelSelector)
  );
}

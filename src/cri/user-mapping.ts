import type * as cri from "../format/cri/generated.ts";
import { NamespaceMode } from "../format/cri/generated.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";

const IDS = 65_536;

/**
 * The node's id of user 0 of a sandbox with user ids of its own; undefined when it has the node's.
 * @throws GrpcError "invalid-argument" for mappings that cannot be had
 */
export function firstUserOf(options: cri.NamespaceOption | undefined): number | undefined {
  const users = options?.usernsOptions;
  if (!users || users.mode === NamespaceMode.NODE) return undefined;
  if (users.mode !== NamespaceMode.POD) throw refusal("they are the pod's or the node's");
  if (options?.network === NamespaceMode.NODE) throw refusal("the network is the node's");
  return firstIdOf(users.uids, users.gids);
}

/** What both map user 0 to. @throws GrpcError unless each is one range of 65536 from 0 on */
export function firstIdOf(
  uids: readonly cri.IDMapping[],
  gids: readonly cri.IDMapping[],
): number | undefined {
  const [first, ...rest] = [uids, gids].map((ranges) => {
    const [range] = ranges;
    const isWhole = ranges.length === 1 && range?.containerId === 0 && range.length === IDS;
    if (!isWhole || range.hostId === 0 || range.hostId % IDS !== 0) {
      throw refusal(`this runtime maps one range of ${IDS}, from 0 on to a multiple of it`);
    }
    return range.hostId;
  });
  if (rest.some((id) => id !== first)) throw refusal("users and groups are mapped alike");
  return first;
}

function refusal(why: string): GrpcError {
  return new GrpcError("invalid-argument", `Cannot give the sandbox such user ids: ${why}`);
}

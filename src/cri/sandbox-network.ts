import { isIPv4 } from "node:net";
import type { PodNetwork } from "../agent/network/contract.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";

/** The network of sandboxes, which may have to wait for its addresses. */
export interface SandboxNetwork extends AsyncDisposable {
  /** Undefined until the addresses are known. */
  current(): PodNetwork | undefined;
  /** The first range is kept, as sandboxes have addresses of it. "" and IPv6 are passed over. */
  setPodCidr(podCidr: string): Promise<void>;
}

/** How to open the network when its range is known. */
export interface SandboxNetworkOptions {
  /** Sets the network up and adopts what earlier servers attached. */
  open: (podCidr: string) => Promise<PodNetwork>;
  /** Keeps the range for the next start. */
  remember: (podCidr: string) => void;
}

/** A network that opens with the first range. */
export function createSandboxNetwork(options: SandboxNetworkOptions): SandboxNetwork {
  let opening: Promise<PodNetwork> | undefined;
  let network: PodNetwork | undefined;
  return {
    current: () => network,
    async setPodCidr(text) {
      const podCidr = text.split(",").find((range) => isIPv4(range.split("/")[0] ?? ""));
      if (!podCidr) return;
      opening ??= options.open(podCidr);
      try {
        network = await opening;
        options.remember(podCidr);
      } catch (error) {
        opening = undefined;
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await (await opening?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

/** @throws GrpcError "unavailable" */
export function requireNetwork(network: SandboxNetwork): PodNetwork {
  const current = network.current();
  if (current) return current;
  throw new GrpcError("unavailable", NO_RANGE);
}

/** Why sandboxes cannot have a network yet. */
export const NO_RANGE =
  "the range of pod addresses is not known: wait for the kubelet, or give --pod-cidr";

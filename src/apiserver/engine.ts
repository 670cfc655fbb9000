import type { AskedSpec } from "../api/common-spec.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import type { Store } from "../store/store.ts";
import type {
  AdmissionPlugin,
  Authenticator,
  Authorizer,
  TokenIssuer,
  ComponentCheck,
} from "./contract.ts";
import type { KubeObject } from "./kube-object.ts";
import type { Configuration } from "./ownership.ts";
import type { ResourceRegistry } from "./resource-registry.ts";
import type { Call } from "./rest/call.ts";
import type { ServiceNetwork } from "./service-network/service-network.ts";
import type { BodyReader } from "./subresource/body-reader.ts";
import type { BoundStatuses } from "./subresource/bound-status.ts";
import type { TokenChecker } from "./token/token-verifier.ts";
import type { UsageSampler } from "./usage/usage-sampler.ts";

/** What the handlers of requests share. */
export interface Engine {
  store: Store;
  clock: Clock;
  random: Random;
  logger: Logger;
  registry: ResourceRegistry;
  authenticators: readonly Authenticator[];
  /** Which paths may be asked for without credentials. */
  anonymous: ((path: string) => boolean) | undefined;
  authorizer: Authorizer;
  admission: readonly AdmissionPlugin[];
  tokenIssuer: TokenIssuer | undefined;
  tokenVerifier: TokenChecker | undefined;
  serviceNetwork: ServiceNetwork;
  /** What `componentstatuses` lists. */
  components: readonly ComponentCheck[];
  /** What nodes and pods use, for metrics.k8s.io. */
  usage: UsageSampler;
  /** Other servers write to the same store, so that the cache alone may lag behind them. */
  sharedStore: boolean;
  boundStatuses: BoundStatuses;
  /** Reads what subresources are sent that are not of the kind of their object. */
  readBody: BodyReader;
  /**
   * Records in managedFields what the caller's manager wants changed, before admission; returns
   * another object.
   */
  manage(
    call: Call,
    of: { object: KubeObject; old?: KubeObject; asked?: AskedSpec | undefined },
  ): KubeObject;
  /** Server-side apply of what the client sent; returns a new object with managedFields. */
  apply(call: Call, of: Configuration): KubeObject;
}

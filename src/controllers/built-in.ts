import type { Client } from "../client/client.ts";
import type { ControllerDefinition } from "../client/controller.ts";
import { daemonSetController } from "./daemon-set/daemon-set-controller.ts";
import { deploymentController } from "./deployment/deployment-controller.ts";
import {
  endpointSliceController,
  endpointsController,
} from "./endpoint-slice/endpoint-slice-controller.ts";
import { namespaceController } from "./namespace/namespace-controller.ts";
import {
  nodeAddressController,
  type PodAddressRange,
} from "./node-lifecycle/node-address-controller.ts";
import {
  nodeLifecycleController,
  taintEvictionController,
} from "./node-lifecycle/node-lifecycle-controller.ts";
import {
  replicaSetController,
  replicationControllerController,
} from "./replica-set/replica-set-controller.ts";
import { rootCaController } from "./root-ca/root-ca-controller.ts";
import {
  serviceAccountController,
  tokenCleanerController,
} from "./service-account/service-account-controller.ts";
import { statefulSetController } from "./stateful-set/stateful-set-controller.ts";

/** What the built-in controllers need to know about their cluster. */
export interface BuiltInOptions {
  /** Unrestricted: the namespace controller deletes kinds that nobody declares in advance. */
  client: Client;
  /** PEM that pods verify the API server with. */
  caPem: string;
  /** Defaults to 10.244.0.0/16, cut into /24. */
  podAddresses?: PodAddressRange;
}

/** The controllers that every cluster runs, each with its own fresh state. */
export function builtInControllers(options: BuiltInOptions): ControllerDefinition[] {
  return [
    replicaSetController(),
    replicationControllerController(),
    deploymentController(),
    daemonSetController(),
    statefulSetController(),
    endpointSliceController(),
    endpointsController(),
    namespaceController(options),
    serviceAccountController(),
    tokenCleanerController(),
    rootCaController(options),
    nodeLifecycleController(),
    taintEvictionController(),
    nodeAddressController(options.podAddresses),
  ];
}

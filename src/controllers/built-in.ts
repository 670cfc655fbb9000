import type { Client } from "../client/client.ts";
import type { ControllerDefinition } from "../client/controller.ts";
import { clusterRoleAggregationController } from "./cluster-role-aggregation/cluster-role-aggregation-controller.ts";
import { type CredentialOptions, credentialControllers } from "./credential-controllers.ts";
import { cronJobController } from "./cron-job/cron-job-controller.ts";
import { daemonSetController } from "./daemon-set/daemon-set-controller.ts";
import { deploymentController } from "./deployment/deployment-controller.ts";
import { disruptionController } from "./disruption/disruption-controller.ts";
import { staleDisruptionController } from "./disruption/stale-disruption-controller.ts";
import {
  endpointSliceController,
  endpointsController,
} from "./endpoint-slice/endpoint-slice-controller.ts";
import { endpointSliceMirroringController } from "./endpoint-slice/endpoint-slice-mirroring-controller.ts";
import { horizontalPodAutoscalerController } from "./horizontal-pod-autoscaler/horizontal-pod-autoscaler-controller.ts";
import { ingressController } from "./ingress/ingress-controller.ts";
import { jobController } from "./job/job-controller.ts";
import { leaseCleaningController } from "./lease-cleaning/lease-cleaning-controller.ts";
import { namespaceController } from "./namespace/namespace-controller.ts";
import {
  nodeAddressController,
  type PodAddressRange,
} from "./node-lifecycle/node-address-controller.ts";
import {
  nodeLifecycleController,
  taintEvictionController,
} from "./node-lifecycle/node-lifecycle-controller.ts";
import { claimBinderController } from "./persistent-volume/claim-binder-controller.ts";
import { claimExpansionController } from "./persistent-volume/claim-expansion-controller.ts";
import { ephemeralVolumeController } from "./persistent-volume/ephemeral-volume-controller.ts";
import {
  claimProtectionController,
  volumeProtectionController,
} from "./persistent-volume/protection-controllers.ts";
import { volumeController } from "./persistent-volume/volume-controller.ts";
import { podGcController } from "./pod-gc/pod-gc-controller.ts";
import {
  replicaSetController,
  replicationControllerController,
} from "./replica-set/replica-set-controller.ts";
import { resourceQuotaController } from "./resource-quota/resource-quota-controller.ts";
import { rootCaController } from "./root-ca/root-ca-controller.ts";
import {
  serviceAccountController,
  tokenCleanerController,
} from "./service-account/service-account-controller.ts";
import type { IngressPorts } from "./service-load-balancer/contract.ts";
import type { AddressSource } from "./service-load-balancer/load-balancer-plan.ts";
import { serviceLoadBalancerController } from "./service-load-balancer/service-load-balancer-controller.ts";
import { statefulSetController } from "./stateful-set/stateful-set-controller.ts";
import { eventTtlController } from "./ttl/event-ttl-controller.ts";
import { ttlAfterFinishedController } from "./ttl/ttl-after-finished-controller.ts";
import { volumeAttachmentController } from "./volume-attachment/volume-attachment-controller.ts";
import { volumesAttachedController } from "./volume-attachment/volumes-attached-controller.ts";

/** What the built-in controllers need to know about their cluster. */
export interface BuiltInOptions {
  /** Unrestricted: the namespace controller deletes kinds that nobody declares in advance. */
  client: Client;
  /** PEM that pods verify the API server with. */
  caPem: string;
  /** Defaults to 10.244.0.0/16, cut into /24. */
  podAddresses?: PodAddressRange;
  /** Without it Services of type LoadBalancer wait for another implementation. */
  loadBalancer?: AddressSource | undefined;
  /** Without it nobody says where Ingresses are served. */
  ingress?: IngressPorts | undefined;
  /** How long a node may be silent before it counts as lost; 50 s by default. */
  nodeGraceMs?: number | undefined;
  /** Without it nobody signs: Secrets that ask for tokens stay empty. */
  credentials?: CredentialOptions;
}

/** The controllers that every cluster runs, each with its own fresh state. */
export function builtInControllers(options: BuiltInOptions): ControllerDefinition[] {
  return [
    replicaSetController(),
    replicationControllerController(),
    deploymentController(),
    daemonSetController(),
    statefulSetController(),
    jobController(),
    cronJobController(),
    endpointSliceController(),
    endpointsController(),
    endpointSliceMirroringController(),
    namespaceController(options),
    serviceAccountController(),
    tokenCleanerController(),
    rootCaController(options),
    nodeLifecycleController({ graceMs: options.nodeGraceMs }),
    taintEvictionController(),
    nodeAddressController(options.podAddresses),
    podGcController(),
    claimBinderController(),
    volumeController(),
    claimExpansionController(),
    volumeAttachmentController(),
    volumesAttachedController(),
    claimProtectionController(),
    volumeProtectionController(),
    ephemeralVolumeController(),
    disruptionController(),
    staleDisruptionController(),
    horizontalPodAutoscalerController(),
    resourceQuotaController(),
    clusterRoleAggregationController(),
    ttlAfterFinishedController(),
    eventTtlController(),
    leaseCleaningController(),
    ...(options.loadBalancer
      ? [serviceLoadBalancerController(options.loadBalancer, options.ingress)]
      : []),
    ...(options.ingress ? [ingressController(options.ingress)] : []),
    ...(options.credentials ? credentialControllers(options.credentials, options) : []),
  ];
}

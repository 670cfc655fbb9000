import type * as cri from "../format/cri/generated.ts";
import { CgroupDriver } from "../format/cri/generated.ts";
import type { Outgoing } from "../format/protobuf/message-codec.ts";
import {
  createContainer,
  describeContainer,
  listContainers,
  removeContainer,
  startContainer,
  stopContainer,
  updateResources,
} from "./container-calls.ts";
import { type CriContext, requireContainer } from "./cri-context.ts";
import { execSync, offerAttach, offerExec, offerPortForward } from "./exec-calls.ts";
import { NO_RANGE } from "./sandbox-network.ts";
import {
  describeSandbox,
  listSandboxes,
  removeSandbox,
  runSandbox,
  stopSandbox,
} from "./sandbox-calls.ts";
import type { Handlers } from "./service-table.ts";
import {
  containerStats,
  listContainerStats,
  listSandboxStats,
  sandboxStats,
} from "./stats-calls.ts";

/** Methods that this runtime has nothing to answer with; callers get UNIMPLEMENTED. */
type Unserved = "CheckpointContainer" | "ListMetricDescriptors" | "ListPodSandboxMetrics";

/** Version that kubelets want to read, of the interface's oldest form. */
const KUBELET_API_VERSION = "0.1.0";

/** RuntimeService of the Container Runtime Interface. */
export function runtimeService(
  context: CriContext,
): Handlers<Omit<cri.RuntimeServiceMethods, Unserved>> {
  return {
    Version: () => ({
      version: KUBELET_API_VERSION,
      runtimeName: "nephos",
      runtimeVersion: context.version,
      runtimeApiVersion: "v1",
    }),
    RunPodSandbox: (request) => runSandbox(context, request),
    StopPodSandbox: (request) => stopSandbox(context, request),
    RemovePodSandbox: (request) => removeSandbox(context, request),
    PodSandboxStatus: (request) => describeSandbox(context, request),
    ListPodSandbox: (request) => listSandboxes(context, request),
    CreateContainer: (request) => createContainer(context, request),
    StartContainer: (request) => startContainer(context, request),
    StopContainer: (request) => stopContainer(context, request),
    RemoveContainer: (request) => removeContainer(context, request),
    ListContainers: (request) => listContainers(context, request),
    ContainerStatus: (request) => describeContainer(context, request),
    UpdateContainerResources: (request) => updateResources(context, request),
    async ReopenContainerLog({ containerId }) {
      await context.runtime.reopenLog(requireContainer(context, containerId).id);
      return {};
    },
    ExecSync: (request) => execSync(context, request),
    Exec: (request) => offerExec(context, request),
    Attach: (request) => offerAttach(context, request),
    PortForward: (request) => offerPortForward(context, request),
    ContainerStats: (request) => containerStats(context, request),
    ListContainerStats: (request) => listContainerStats(context, request),
    PodSandboxStats: (request) => sandboxStats(context, request),
    ListPodSandboxStats: (request) => listSandboxStats(context, request),
    async UpdateRuntimeConfig({ runtimeConfig }) {
      await context.network.setPodCidr(runtimeConfig?.networkConfig?.podCidr ?? "");
      return {};
    },
    Status: ({ verbose }) => status(context, verbose),
    GetContainerEvents: (_request, { signal }) => context.events.subscribe(signal),
    RuntimeConfig: () => ({ linux: { cgroupDriver: CgroupDriver.CGROUPFS } }),
  };
}

function status(context: CriContext, verbose: boolean): Outgoing<cri.StatusResponse> {
  const network = context.network.current();
  const conditions = [
    { type: "RuntimeReady", status: true },
    network
      ? { type: "NetworkReady", status: true }
      : { type: "NetworkReady", status: false, reason: "NoPodCidr", message: NO_RANGE },
  ];
  const runtimeHandlers = context.runtime.handlers().flatMap((handler) => {
    const features = {
      recursiveReadOnlyMounts: false,
      userNamespaces: handler.hasUserNamespaces,
    };
    const names = handler.isDefault ? ["", handler.name] : [handler.name];
    return names.map((name) => ({ name, features }));
  });
  const details = { gateway: network?.gateway ?? null, version: context.version };
  return {
    status: { conditions },
    runtimeHandlers,
    features: { supplementalGroupsPolicy: true },
    ...(verbose && { info: { info: JSON.stringify(details) } }),
  };
}

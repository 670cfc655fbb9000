// Facts of the Container Runtime Interface (k8s.io/cri-api), written by scripts/cri/generate.ts.
import type { MessageTable } from "../protobuf/message-codec.ts";

export const Protocol = { TCP: 0, UDP: 1, SCTP: 2 } as const;

export const MountPropagation = {
  PROPAGATION_PRIVATE: 0,
  PROPAGATION_HOST_TO_CONTAINER: 1,
  PROPAGATION_BIDIRECTIONAL: 2,
} as const;

export const NamespaceMode = { POD: 0, CONTAINER: 1, NODE: 2, TARGET: 3 } as const;

export const SupplementalGroupsPolicy = { Merge: 0, Strict: 1 } as const;

export const ProfileType = { RuntimeDefault: 0, Unconfined: 1, Localhost: 2 } as const;

export const PodSandboxState = { SANDBOX_READY: 0, SANDBOX_NOTREADY: 1 } as const;

export const ContainerState = {
  CONTAINER_CREATED: 0,
  CONTAINER_RUNNING: 1,
  CONTAINER_EXITED: 2,
  CONTAINER_UNKNOWN: 3,
} as const;

export const ContainerEventType = {
  CONTAINER_CREATED_EVENT: 0,
  CONTAINER_STARTED_EVENT: 1,
  CONTAINER_STOPPED_EVENT: 2,
  CONTAINER_DELETED_EVENT: 3,
} as const;

export const MetricType = { COUNTER: 0, GAUGE: 1 } as const;

export const CgroupDriver = { SYSTEMD: 0, CGROUPFS: 1 } as const;

export interface VersionRequest {
  version: string;
}

export interface VersionResponse {
  version: string;
  runtimeName: string;
  runtimeVersion: string;
  runtimeApiVersion: string;
}

export interface DNSConfig {
  servers: string[];
  searches: string[];
  options: string[];
}

export interface PortMapping {
  protocol: number;
  containerPort: number;
  hostPort: number;
  hostIp: string;
}

export interface Mount {
  containerPath: string;
  hostPath: string;
  readonly: boolean;
  selinuxRelabel: boolean;
  propagation: number;
  uidMappings: IDMapping[];
  gidMappings: IDMapping[];
  recursiveReadOnly: boolean;
  image?: ImageSpec | undefined;
}

export interface IDMapping {
  hostId: number;
  containerId: number;
  length: number;
}

export interface UserNamespace {
  mode: number;
  uids: IDMapping[];
  gids: IDMapping[];
}

export interface NamespaceOption {
  network: number;
  pid: number;
  ipc: number;
  targetId: string;
  usernsOptions?: UserNamespace | undefined;
}

export interface Int64Value {
  value: number;
}

export interface LinuxSandboxSecurityContext {
  namespaceOptions?: NamespaceOption | undefined;
  selinuxOptions?: SELinuxOption | undefined;
  runAsUser?: Int64Value | undefined;
  runAsGroup?: Int64Value | undefined;
  readonlyRootfs: boolean;
  supplementalGroups: number[];
  supplementalGroupsPolicy: number;
  privileged: boolean;
  seccomp?: SecurityProfile | undefined;
  apparmor?: SecurityProfile | undefined;
  seccompProfilePath: string;
}

export interface SecurityProfile {
  profileType: number;
  localhostRef: string;
}

export interface LinuxPodSandboxConfig {
  cgroupParent: string;
  securityContext?: LinuxSandboxSecurityContext | undefined;
  sysctls: Record<string, string>;
  overhead?: LinuxContainerResources | undefined;
  resources?: LinuxContainerResources | undefined;
}

export interface PodSandboxMetadata {
  name: string;
  uid: string;
  namespace: string;
  attempt: number;
}

export interface PodSandboxConfig {
  metadata?: PodSandboxMetadata | undefined;
  hostname: string;
  logDirectory: string;
  dnsConfig?: DNSConfig | undefined;
  portMappings: PortMapping[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  linux?: LinuxPodSandboxConfig | undefined;
  windows?: WindowsPodSandboxConfig | undefined;
}

export interface RunPodSandboxRequest {
  config?: PodSandboxConfig | undefined;
  runtimeHandler: string;
}

export interface RunPodSandboxResponse {
  podSandboxId: string;
}

export interface StopPodSandboxRequest {
  podSandboxId: string;
}

export interface StopPodSandboxResponse {}

export interface RemovePodSandboxRequest {
  podSandboxId: string;
}

export interface RemovePodSandboxResponse {}

export interface PodSandboxStatusRequest {
  podSandboxId: string;
  verbose: boolean;
}

export interface PodIP {
  ip: string;
}

export interface PodSandboxNetworkStatus {
  ip: string;
  additionalIps: PodIP[];
}

export interface Namespace {
  options?: NamespaceOption | undefined;
}

export interface LinuxPodSandboxStatus {
  namespaces?: Namespace | undefined;
}

export interface PodSandboxStatus {
  id: string;
  metadata?: PodSandboxMetadata | undefined;
  state: number;
  createdAt: number;
  network?: PodSandboxNetworkStatus | undefined;
  linux?: LinuxPodSandboxStatus | undefined;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  runtimeHandler: string;
}

export interface PodSandboxStatusResponse {
  status?: PodSandboxStatus | undefined;
  info: Record<string, string>;
  containersStatuses: ContainerStatus[];
  timestamp: number;
}

export interface PodSandboxStateValue {
  state: number;
}

export interface PodSandboxFilter {
  id: string;
  state?: PodSandboxStateValue | undefined;
  labelSelector: Record<string, string>;
}

export interface ListPodSandboxRequest {
  filter?: PodSandboxFilter | undefined;
}

export interface PodSandbox {
  id: string;
  metadata?: PodSandboxMetadata | undefined;
  state: number;
  createdAt: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  runtimeHandler: string;
}

export interface ListPodSandboxResponse {
  items: PodSandbox[];
}

export interface PodSandboxStatsRequest {
  podSandboxId: string;
}

export interface PodSandboxStatsResponse {
  stats?: PodSandboxStats | undefined;
}

export interface PodSandboxStatsFilter {
  id: string;
  labelSelector: Record<string, string>;
}

export interface ListPodSandboxStatsRequest {
  filter?: PodSandboxStatsFilter | undefined;
}

export interface ListPodSandboxStatsResponse {
  stats: PodSandboxStats[];
}

export interface PodSandboxAttributes {
  id: string;
  metadata?: PodSandboxMetadata | undefined;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface PodSandboxStats {
  attributes?: PodSandboxAttributes | undefined;
  linux?: LinuxPodSandboxStats | undefined;
  windows?: WindowsPodSandboxStats | undefined;
}

export interface LinuxPodSandboxStats {
  cpu?: CpuUsage | undefined;
  memory?: MemoryUsage | undefined;
  network?: NetworkUsage | undefined;
  process?: ProcessUsage | undefined;
  containers: ContainerStats[];
}

export interface WindowsPodSandboxStats {
  cpu?: WindowsCpuUsage | undefined;
  memory?: WindowsMemoryUsage | undefined;
  network?: WindowsNetworkUsage | undefined;
  process?: WindowsProcessUsage | undefined;
  containers: WindowsContainerStats[];
}

export interface NetworkUsage {
  timestamp: number;
  defaultInterface?: NetworkInterfaceUsage | undefined;
  interfaces: NetworkInterfaceUsage[];
}

export interface WindowsNetworkUsage {
  timestamp: number;
  defaultInterface?: WindowsNetworkInterfaceUsage | undefined;
  interfaces: WindowsNetworkInterfaceUsage[];
}

export interface NetworkInterfaceUsage {
  name: string;
  rxBytes?: UInt64Value | undefined;
  rxErrors?: UInt64Value | undefined;
  txBytes?: UInt64Value | undefined;
  txErrors?: UInt64Value | undefined;
}

export interface WindowsNetworkInterfaceUsage {
  name: string;
  rxBytes?: UInt64Value | undefined;
  rxPacketsDropped?: UInt64Value | undefined;
  txBytes?: UInt64Value | undefined;
  txPacketsDropped?: UInt64Value | undefined;
}

export interface ProcessUsage {
  timestamp: number;
  processCount?: UInt64Value | undefined;
}

export interface WindowsProcessUsage {
  timestamp: number;
  processCount?: UInt64Value | undefined;
}

export interface ImageSpec {
  image: string;
  annotations: Record<string, string>;
  userSpecifiedImage: string;
  runtimeHandler: string;
}

export interface KeyValue {
  key: string;
  value: string;
}

export interface LinuxContainerResources {
  cpuPeriod: number;
  cpuQuota: number;
  cpuShares: number;
  memoryLimitInBytes: number;
  oomScoreAdj: number;
  cpusetCpus: string;
  cpusetMems: string;
  hugepageLimits: HugepageLimit[];
  unified: Record<string, string>;
  memorySwapLimitInBytes: number;
}

export interface HugepageLimit {
  pageSize: string;
  limit: number;
}

export interface SELinuxOption {
  user: string;
  role: string;
  type: string;
  level: string;
}

export interface Capability {
  addCapabilities: string[];
  dropCapabilities: string[];
  addAmbientCapabilities: string[];
}

export interface LinuxContainerSecurityContext {
  capabilities?: Capability | undefined;
  privileged: boolean;
  namespaceOptions?: NamespaceOption | undefined;
  selinuxOptions?: SELinuxOption | undefined;
  runAsUser?: Int64Value | undefined;
  runAsGroup?: Int64Value | undefined;
  runAsUsername: string;
  readonlyRootfs: boolean;
  supplementalGroups: number[];
  supplementalGroupsPolicy: number;
  noNewPrivs: boolean;
  maskedPaths: string[];
  readonlyPaths: string[];
  seccomp?: SecurityProfile | undefined;
  apparmor?: SecurityProfile | undefined;
  apparmorProfile: string;
  seccompProfilePath: string;
}

export interface LinuxContainerConfig {
  resources?: LinuxContainerResources | undefined;
  securityContext?: LinuxContainerSecurityContext | undefined;
}

export interface LinuxContainerUser {
  uid: number;
  gid: number;
  supplementalGroups: number[];
}

export interface WindowsNamespaceOption {
  network: number;
}

export interface WindowsSandboxSecurityContext {
  runAsUsername: string;
  credentialSpec: string;
  hostProcess: boolean;
  namespaceOptions?: WindowsNamespaceOption | undefined;
}

export interface WindowsPodSandboxConfig {
  securityContext?: WindowsSandboxSecurityContext | undefined;
}

export interface WindowsContainerSecurityContext {
  runAsUsername: string;
  credentialSpec: string;
  hostProcess: boolean;
}

export interface WindowsContainerConfig {
  resources?: WindowsContainerResources | undefined;
  securityContext?: WindowsContainerSecurityContext | undefined;
}

export interface WindowsContainerResources {
  cpuShares: number;
  cpuCount: number;
  cpuMaximum: number;
  memoryLimitInBytes: number;
  rootfsSizeInBytes: number;
  affinityCpus: WindowsCpuGroupAffinity[];
}

export interface WindowsCpuGroupAffinity {
  cpuMask: number;
  cpuGroup: number;
}

export interface ContainerMetadata {
  name: string;
  attempt: number;
}

export interface Device {
  containerPath: string;
  hostPath: string;
  permissions: string;
}

export interface CDIDevice {
  name: string;
}

export interface ContainerConfig {
  metadata?: ContainerMetadata | undefined;
  image?: ImageSpec | undefined;
  command: string[];
  args: string[];
  workingDir: string;
  envs: KeyValue[];
  mounts: Mount[];
  devices: Device[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  logPath: string;
  stdin: boolean;
  stdinOnce: boolean;
  tty: boolean;
  linux?: LinuxContainerConfig | undefined;
  windows?: WindowsContainerConfig | undefined;
  CDIDevices: CDIDevice[];
}

export interface CreateContainerRequest {
  podSandboxId: string;
  config?: ContainerConfig | undefined;
  sandboxConfig?: PodSandboxConfig | undefined;
}

export interface CreateContainerResponse {
  containerId: string;
}

export interface StartContainerRequest {
  containerId: string;
}

export interface StartContainerResponse {}

export interface StopContainerRequest {
  containerId: string;
  timeout: number;
}

export interface StopContainerResponse {}

export interface RemoveContainerRequest {
  containerId: string;
}

export interface RemoveContainerResponse {}

export interface ContainerStateValue {
  state: number;
}

export interface ContainerFilter {
  id: string;
  state?: ContainerStateValue | undefined;
  podSandboxId: string;
  labelSelector: Record<string, string>;
}

export interface ListContainersRequest {
  filter?: ContainerFilter | undefined;
}

export interface Container {
  id: string;
  podSandboxId: string;
  metadata?: ContainerMetadata | undefined;
  image?: ImageSpec | undefined;
  imageRef: string;
  state: number;
  createdAt: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  imageId: string;
}

export interface ListContainersResponse {
  containers: Container[];
}

export interface ContainerStatusRequest {
  containerId: string;
  verbose: boolean;
}

export interface ContainerStatus {
  id: string;
  metadata?: ContainerMetadata | undefined;
  state: number;
  createdAt: number;
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  image?: ImageSpec | undefined;
  imageRef: string;
  reason: string;
  message: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  mounts: Mount[];
  logPath: string;
  resources?: ContainerResources | undefined;
  imageId: string;
  user?: ContainerUser | undefined;
}

export interface ContainerStatusResponse {
  status?: ContainerStatus | undefined;
  info: Record<string, string>;
}

export interface ContainerResources {
  linux?: LinuxContainerResources | undefined;
  windows?: WindowsContainerResources | undefined;
}

export interface ContainerUser {
  linux?: LinuxContainerUser | undefined;
}

export interface UpdateContainerResourcesRequest {
  containerId: string;
  linux?: LinuxContainerResources | undefined;
  windows?: WindowsContainerResources | undefined;
  annotations: Record<string, string>;
}

export interface UpdateContainerResourcesResponse {}

export interface ExecSyncRequest {
  containerId: string;
  cmd: string[];
  timeout: number;
}

export interface ExecSyncResponse {
  stdout: Uint8Array;
  stderr: Uint8Array;
  exitCode: number;
}

export interface ExecRequest {
  containerId: string;
  cmd: string[];
  tty: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

export interface ExecResponse {
  url: string;
}

export interface AttachRequest {
  containerId: string;
  stdin: boolean;
  tty: boolean;
  stdout: boolean;
  stderr: boolean;
}

export interface AttachResponse {
  url: string;
}

export interface PortForwardRequest {
  podSandboxId: string;
  port: number[];
}

export interface PortForwardResponse {
  url: string;
}

export interface ImageFilter {
  image?: ImageSpec | undefined;
}

export interface ListImagesRequest {
  filter?: ImageFilter | undefined;
}

export interface Image {
  id: string;
  repoTags: string[];
  repoDigests: string[];
  size: number;
  uid?: Int64Value | undefined;
  username: string;
  spec?: ImageSpec | undefined;
  pinned: boolean;
}

export interface ListImagesResponse {
  images: Image[];
}

export interface ImageStatusRequest {
  image?: ImageSpec | undefined;
  verbose: boolean;
}

export interface ImageStatusResponse {
  image?: Image | undefined;
  info: Record<string, string>;
}

export interface AuthConfig {
  username: string;
  password: string;
  auth: string;
  serverAddress: string;
  identityToken: string;
  registryToken: string;
}

export interface PullImageRequest {
  image?: ImageSpec | undefined;
  auth?: AuthConfig | undefined;
  sandboxConfig?: PodSandboxConfig | undefined;
}

export interface PullImageResponse {
  imageRef: string;
}

export interface RemoveImageRequest {
  image?: ImageSpec | undefined;
}

export interface RemoveImageResponse {}

export interface NetworkConfig {
  podCidr: string;
}

export interface RuntimeConfig {
  networkConfig?: NetworkConfig | undefined;
}

export interface UpdateRuntimeConfigRequest {
  runtimeConfig?: RuntimeConfig | undefined;
}

export interface UpdateRuntimeConfigResponse {}

export interface RuntimeCondition {
  type: string;
  status: boolean;
  reason: string;
  message: string;
}

export interface RuntimeStatus {
  conditions: RuntimeCondition[];
}

export interface StatusRequest {
  verbose: boolean;
}

export interface RuntimeHandlerFeatures {
  recursiveReadOnlyMounts: boolean;
  userNamespaces: boolean;
}

export interface RuntimeHandler {
  name: string;
  features?: RuntimeHandlerFeatures | undefined;
}

export interface RuntimeFeatures {
  supplementalGroupsPolicy: boolean;
}

export interface StatusResponse {
  status?: RuntimeStatus | undefined;
  info: Record<string, string>;
  runtimeHandlers: RuntimeHandler[];
  features?: RuntimeFeatures | undefined;
}

export interface ImageFsInfoRequest {}

export interface UInt64Value {
  value: number;
}

export interface FilesystemIdentifier {
  mountpoint: string;
}

export interface FilesystemUsage {
  timestamp: number;
  fsId?: FilesystemIdentifier | undefined;
  usedBytes?: UInt64Value | undefined;
  inodesUsed?: UInt64Value | undefined;
}

export interface WindowsFilesystemUsage {
  timestamp: number;
  fsId?: FilesystemIdentifier | undefined;
  usedBytes?: UInt64Value | undefined;
}

export interface ImageFsInfoResponse {
  imageFilesystems: FilesystemUsage[];
  containerFilesystems: FilesystemUsage[];
}

export interface ContainerStatsRequest {
  containerId: string;
}

export interface ContainerStatsResponse {
  stats?: ContainerStats | undefined;
}

export interface ListContainerStatsRequest {
  filter?: ContainerStatsFilter | undefined;
}

export interface ContainerStatsFilter {
  id: string;
  podSandboxId: string;
  labelSelector: Record<string, string>;
}

export interface ListContainerStatsResponse {
  stats: ContainerStats[];
}

export interface ContainerAttributes {
  id: string;
  metadata?: ContainerMetadata | undefined;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface ContainerStats {
  attributes?: ContainerAttributes | undefined;
  cpu?: CpuUsage | undefined;
  memory?: MemoryUsage | undefined;
  writableLayer?: FilesystemUsage | undefined;
  swap?: SwapUsage | undefined;
}

export interface WindowsContainerStats {
  attributes?: ContainerAttributes | undefined;
  cpu?: WindowsCpuUsage | undefined;
  memory?: WindowsMemoryUsage | undefined;
  writableLayer?: WindowsFilesystemUsage | undefined;
}

export interface CpuUsage {
  timestamp: number;
  usageCoreNanoSeconds?: UInt64Value | undefined;
  usageNanoCores?: UInt64Value | undefined;
}

export interface WindowsCpuUsage {
  timestamp: number;
  usageCoreNanoSeconds?: UInt64Value | undefined;
  usageNanoCores?: UInt64Value | undefined;
}

export interface MemoryUsage {
  timestamp: number;
  workingSetBytes?: UInt64Value | undefined;
  availableBytes?: UInt64Value | undefined;
  usageBytes?: UInt64Value | undefined;
  rssBytes?: UInt64Value | undefined;
  pageFaults?: UInt64Value | undefined;
  majorPageFaults?: UInt64Value | undefined;
}

export interface SwapUsage {
  timestamp: number;
  swapAvailableBytes?: UInt64Value | undefined;
  swapUsageBytes?: UInt64Value | undefined;
}

export interface WindowsMemoryUsage {
  timestamp: number;
  workingSetBytes?: UInt64Value | undefined;
  availableBytes?: UInt64Value | undefined;
  pageFaults?: UInt64Value | undefined;
  commitMemoryBytes?: UInt64Value | undefined;
}

export interface ReopenContainerLogRequest {
  containerId: string;
}

export interface ReopenContainerLogResponse {}

export interface CheckpointContainerRequest {
  containerId: string;
  location: string;
  timeout: number;
}

export interface CheckpointContainerResponse {}

export interface GetEventsRequest {}

export interface ContainerEventResponse {
  containerId: string;
  containerEventType: number;
  createdAt: number;
  podSandboxStatus?: PodSandboxStatus | undefined;
  containersStatuses: ContainerStatus[];
}

export interface ListMetricDescriptorsRequest {}

export interface ListMetricDescriptorsResponse {
  descriptors: MetricDescriptor[];
}

export interface MetricDescriptor {
  name: string;
  help: string;
  labelKeys: string[];
}

export interface ListPodSandboxMetricsRequest {}

export interface ListPodSandboxMetricsResponse {
  podMetrics: PodSandboxMetrics[];
}

export interface PodSandboxMetrics {
  podSandboxId: string;
  metrics: Metric[];
  containerMetrics: ContainerMetrics[];
}

export interface ContainerMetrics {
  containerId: string;
  metrics: Metric[];
}

export interface Metric {
  name: string;
  timestamp: number;
  metricType: number;
  labelValues: string[];
  value?: UInt64Value | undefined;
}

export interface RuntimeConfigRequest {}

export interface RuntimeConfigResponse {
  linux?: LinuxRuntimeConfiguration | undefined;
}

export interface LinuxRuntimeConfiguration {
  cgroupDriver: number;
}

export interface RuntimeServiceMethods {
  Version: { request: VersionRequest; response: VersionResponse; streams: false };
  RunPodSandbox: { request: RunPodSandboxRequest; response: RunPodSandboxResponse; streams: false };
  StopPodSandbox: {
    request: StopPodSandboxRequest;
    response: StopPodSandboxResponse;
    streams: false;
  };
  RemovePodSandbox: {
    request: RemovePodSandboxRequest;
    response: RemovePodSandboxResponse;
    streams: false;
  };
  PodSandboxStatus: {
    request: PodSandboxStatusRequest;
    response: PodSandboxStatusResponse;
    streams: false;
  };
  ListPodSandbox: {
    request: ListPodSandboxRequest;
    response: ListPodSandboxResponse;
    streams: false;
  };
  CreateContainer: {
    request: CreateContainerRequest;
    response: CreateContainerResponse;
    streams: false;
  };
  StartContainer: {
    request: StartContainerRequest;
    response: StartContainerResponse;
    streams: false;
  };
  StopContainer: { request: StopContainerRequest; response: StopContainerResponse; streams: false };
  RemoveContainer: {
    request: RemoveContainerRequest;
    response: RemoveContainerResponse;
    streams: false;
  };
  ListContainers: {
    request: ListContainersRequest;
    response: ListContainersResponse;
    streams: false;
  };
  ContainerStatus: {
    request: ContainerStatusRequest;
    response: ContainerStatusResponse;
    streams: false;
  };
  UpdateContainerResources: {
    request: UpdateContainerResourcesRequest;
    response: UpdateContainerResourcesResponse;
    streams: false;
  };
  ReopenContainerLog: {
    request: ReopenContainerLogRequest;
    response: ReopenContainerLogResponse;
    streams: false;
  };
  ExecSync: { request: ExecSyncRequest; response: ExecSyncResponse; streams: false };
  Exec: { request: ExecRequest; response: ExecResponse; streams: false };
  Attach: { request: AttachRequest; response: AttachResponse; streams: false };
  PortForward: { request: PortForwardRequest; response: PortForwardResponse; streams: false };
  ContainerStats: {
    request: ContainerStatsRequest;
    response: ContainerStatsResponse;
    streams: false;
  };
  ListContainerStats: {
    request: ListContainerStatsRequest;
    response: ListContainerStatsResponse;
    streams: false;
  };
  PodSandboxStats: {
    request: PodSandboxStatsRequest;
    response: PodSandboxStatsResponse;
    streams: false;
  };
  ListPodSandboxStats: {
    request: ListPodSandboxStatsRequest;
    response: ListPodSandboxStatsResponse;
    streams: false;
  };
  UpdateRuntimeConfig: {
    request: UpdateRuntimeConfigRequest;
    response: UpdateRuntimeConfigResponse;
    streams: false;
  };
  Status: { request: StatusRequest; response: StatusResponse; streams: false };
  CheckpointContainer: {
    request: CheckpointContainerRequest;
    response: CheckpointContainerResponse;
    streams: false;
  };
  GetContainerEvents: {
    request: GetEventsRequest;
    response: ContainerEventResponse;
    streams: true;
  };
  ListMetricDescriptors: {
    request: ListMetricDescriptorsRequest;
    response: ListMetricDescriptorsResponse;
    streams: false;
  };
  ListPodSandboxMetrics: {
    request: ListPodSandboxMetricsRequest;
    response: ListPodSandboxMetricsResponse;
    streams: false;
  };
  RuntimeConfig: { request: RuntimeConfigRequest; response: RuntimeConfigResponse; streams: false };
}

export interface ImageServiceMethods {
  ListImages: { request: ListImagesRequest; response: ListImagesResponse; streams: false };
  ImageStatus: { request: ImageStatusRequest; response: ImageStatusResponse; streams: false };
  PullImage: { request: PullImageRequest; response: PullImageResponse; streams: false };
  RemoveImage: { request: RemoveImageRequest; response: RemoveImageResponse; streams: false };
  ImageFsInfo: { request: ImageFsInfoRequest; response: ImageFsInfoResponse; streams: false };
}

/** Field name to its number, label and type. */
export const MESSAGES: MessageTable = {
  VersionRequest: { version: "1 string" },
  VersionResponse: {
    version: "1 string",
    runtimeName: "2 string",
    runtimeVersion: "3 string",
    runtimeApiVersion: "4 string",
  },
  DNSConfig: {
    servers: "1 repeated string",
    searches: "2 repeated string",
    options: "3 repeated string",
  },
  PortMapping: {
    protocol: "1 int32",
    containerPort: "2 int32",
    hostPort: "3 int32",
    hostIp: "4 string",
  },
  Mount: {
    containerPath: "1 string",
    hostPath: "2 string",
    readonly: "3 bool",
    selinuxRelabel: "4 bool",
    propagation: "5 int32",
    uidMappings: "6 repeated IDMapping",
    gidMappings: "7 repeated IDMapping",
    recursiveReadOnly: "8 bool",
    image: "9 ImageSpec",
  },
  IDMapping: { hostId: "1 uint32", containerId: "2 uint32", length: "3 uint32" },
  UserNamespace: { mode: "1 int32", uids: "2 repeated IDMapping", gids: "3 repeated IDMapping" },
  NamespaceOption: {
    network: "1 int32",
    pid: "2 int32",
    ipc: "3 int32",
    targetId: "4 string",
    usernsOptions: "5 UserNamespace",
  },
  Int64Value: { value: "1 int64" },
  LinuxSandboxSecurityContext: {
    namespaceOptions: "1 NamespaceOption",
    selinuxOptions: "2 SELinuxOption",
    runAsUser: "3 Int64Value",
    runAsGroup: "8 Int64Value",
    readonlyRootfs: "4 bool",
    supplementalGroups: "5 repeated int64",
    supplementalGroupsPolicy: "11 int32",
    privileged: "6 bool",
    seccomp: "9 SecurityProfile",
    apparmor: "10 SecurityProfile",
    seccompProfilePath: "7 string",
  },
  SecurityProfile: { profileType: "1 int32", localhostRef: "2 string" },
  LinuxPodSandboxConfig: {
    cgroupParent: "1 string",
    securityContext: "2 LinuxSandboxSecurityContext",
    sysctls: "3 map string",
    overhead: "4 LinuxContainerResources",
    resources: "5 LinuxContainerResources",
  },
  PodSandboxMetadata: {
    name: "1 string",
    uid: "2 string",
    namespace: "3 string",
    attempt: "4 uint32",
  },
  PodSandboxConfig: {
    metadata: "1 PodSandboxMetadata",
    hostname: "2 string",
    logDirectory: "3 string",
    dnsConfig: "4 DNSConfig",
    portMappings: "5 repeated PortMapping",
    labels: "6 map string",
    annotations: "7 map string",
    linux: "8 LinuxPodSandboxConfig",
    windows: "9 WindowsPodSandboxConfig",
  },
  RunPodSandboxRequest: { config: "1 PodSandboxConfig", runtimeHandler: "2 string" },
  RunPodSandboxResponse: { podSandboxId: "1 string" },
  StopPodSandboxRequest: { podSandboxId: "1 string" },
  StopPodSandboxResponse: {},
  RemovePodSandboxRequest: { podSandboxId: "1 string" },
  RemovePodSandboxResponse: {},
  PodSandboxStatusRequest: { podSandboxId: "1 string", verbose: "2 bool" },
  PodIP: { ip: "1 string" },
  PodSandboxNetworkStatus: { ip: "1 string", additionalIps: "2 repeated PodIP" },
  Namespace: { options: "2 NamespaceOption" },
  LinuxPodSandboxStatus: { namespaces: "1 Namespace" },
  PodSandboxStatus: {
    id: "1 string",
    metadata: "2 PodSandboxMetadata",
    state: "3 int32",
    createdAt: "4 int64",
    network: "5 PodSandboxNetworkStatus",
    linux: "6 LinuxPodSandboxStatus",
    labels: "7 map string",
    annotations: "8 map string",
    runtimeHandler: "9 string",
  },
  PodSandboxStatusResponse: {
    status: "1 PodSandboxStatus",
    info: "2 map string",
    containersStatuses: "3 repeated ContainerStatus",
    timestamp: "4 int64",
  },
  PodSandboxStateValue: { state: "1 int32" },
  PodSandboxFilter: {
    id: "1 string",
    state: "2 PodSandboxStateValue",
    labelSelector: "3 map string",
  },
  ListPodSandboxRequest: { filter: "1 PodSandboxFilter" },
  PodSandbox: {
    id: "1 string",
    metadata: "2 PodSandboxMetadata",
    state: "3 int32",
    createdAt: "4 int64",
    labels: "5 map string",
    annotations: "6 map string",
    runtimeHandler: "7 string",
  },
  ListPodSandboxResponse: { items: "1 repeated PodSandbox" },
  PodSandboxStatsRequest: { podSandboxId: "1 string" },
  PodSandboxStatsResponse: { stats: "1 PodSandboxStats" },
  PodSandboxStatsFilter: { id: "1 string", labelSelector: "2 map string" },
  ListPodSandboxStatsRequest: { filter: "1 PodSandboxStatsFilter" },
  ListPodSandboxStatsResponse: { stats: "1 repeated PodSandboxStats" },
  PodSandboxAttributes: {
    id: "1 string",
    metadata: "2 PodSandboxMetadata",
    labels: "3 map string",
    annotations: "4 map string",
  },
  PodSandboxStats: {
    attributes: "1 PodSandboxAttributes",
    linux: "2 LinuxPodSandboxStats",
    windows: "3 WindowsPodSandboxStats",
  },
  LinuxPodSandboxStats: {
    cpu: "1 CpuUsage",
    memory: "2 MemoryUsage",
    network: "3 NetworkUsage",
    process: "4 ProcessUsage",
    containers: "5 repeated ContainerStats",
  },
  WindowsPodSandboxStats: {
    cpu: "1 WindowsCpuUsage",
    memory: "2 WindowsMemoryUsage",
    network: "3 WindowsNetworkUsage",
    process: "4 WindowsProcessUsage",
    containers: "5 repeated WindowsContainerStats",
  },
  NetworkUsage: {
    timestamp: "1 int64",
    defaultInterface: "2 NetworkInterfaceUsage",
    interfaces: "3 repeated NetworkInterfaceUsage",
  },
  WindowsNetworkUsage: {
    timestamp: "1 int64",
    defaultInterface: "2 WindowsNetworkInterfaceUsage",
    interfaces: "3 repeated WindowsNetworkInterfaceUsage",
  },
  NetworkInterfaceUsage: {
    name: "1 string",
    rxBytes: "2 UInt64Value",
    rxErrors: "3 UInt64Value",
    txBytes: "4 UInt64Value",
    txErrors: "5 UInt64Value",
  },
  WindowsNetworkInterfaceUsage: {
    name: "1 string",
    rxBytes: "2 UInt64Value",
    rxPacketsDropped: "3 UInt64Value",
    txBytes: "4 UInt64Value",
    txPacketsDropped: "5 UInt64Value",
  },
  ProcessUsage: { timestamp: "1 int64", processCount: "2 UInt64Value" },
  WindowsProcessUsage: { timestamp: "1 int64", processCount: "2 UInt64Value" },
  ImageSpec: {
    image: "1 string",
    annotations: "2 map string",
    userSpecifiedImage: "18 string",
    runtimeHandler: "19 string",
  },
  KeyValue: { key: "1 string", value: "2 string" },
  LinuxContainerResources: {
    cpuPeriod: "1 int64",
    cpuQuota: "2 int64",
    cpuShares: "3 int64",
    memoryLimitInBytes: "4 int64",
    oomScoreAdj: "5 int64",
    cpusetCpus: "6 string",
    cpusetMems: "7 string",
    hugepageLimits: "8 repeated HugepageLimit",
    unified: "9 map string",
    memorySwapLimitInBytes: "10 int64",
  },
  HugepageLimit: { pageSize: "1 string", limit: "2 uint64" },
  SELinuxOption: { user: "1 string", role: "2 string", type: "3 string", level: "4 string" },
  Capability: {
    addCapabilities: "1 repeated string",
    dropCapabilities: "2 repeated string",
    addAmbientCapabilities: "3 repeated string",
  },
  LinuxContainerSecurityContext: {
    capabilities: "1 Capability",
    privileged: "2 bool",
    namespaceOptions: "3 NamespaceOption",
    selinuxOptions: "4 SELinuxOption",
    runAsUser: "5 Int64Value",
    runAsGroup: "12 Int64Value",
    runAsUsername: "6 string",
    readonlyRootfs: "7 bool",
    supplementalGroups: "8 repeated int64",
    supplementalGroupsPolicy: "17 int32",
    noNewPrivs: "11 bool",
    maskedPaths: "13 repeated string",
    readonlyPaths: "14 repeated string",
    seccomp: "15 SecurityProfile",
    apparmor: "16 SecurityProfile",
    apparmorProfile: "9 string",
    seccompProfilePath: "10 string",
  },
  LinuxContainerConfig: {
    resources: "1 LinuxContainerResources",
    securityContext: "2 LinuxContainerSecurityContext",
  },
  LinuxContainerUser: { uid: "1 int64", gid: "2 int64", supplementalGroups: "3 repeated int64" },
  WindowsNamespaceOption: { network: "1 int32" },
  WindowsSandboxSecurityContext: {
    runAsUsername: "1 string",
    credentialSpec: "2 string",
    hostProcess: "3 bool",
    namespaceOptions: "4 WindowsNamespaceOption",
  },
  WindowsPodSandboxConfig: { securityContext: "1 WindowsSandboxSecurityContext" },
  WindowsContainerSecurityContext: {
    runAsUsername: "1 string",
    credentialSpec: "2 string",
    hostProcess: "3 bool",
  },
  WindowsContainerConfig: {
    resources: "1 WindowsContainerResources",
    securityContext: "2 WindowsContainerSecurityContext",
  },
  WindowsContainerResources: {
    cpuShares: "1 int64",
    cpuCount: "2 int64",
    cpuMaximum: "3 int64",
    memoryLimitInBytes: "4 int64",
    rootfsSizeInBytes: "5 int64",
    affinityCpus: "6 repeated WindowsCpuGroupAffinity",
  },
  WindowsCpuGroupAffinity: { cpuMask: "1 uint64", cpuGroup: "2 uint32" },
  ContainerMetadata: { name: "1 string", attempt: "2 uint32" },
  Device: { containerPath: "1 string", hostPath: "2 string", permissions: "3 string" },
  CDIDevice: { name: "1 string" },
  ContainerConfig: {
    metadata: "1 ContainerMetadata",
    image: "2 ImageSpec",
    command: "3 repeated string",
    args: "4 repeated string",
    workingDir: "5 string",
    envs: "6 repeated KeyValue",
    mounts: "7 repeated Mount",
    devices: "8 repeated Device",
    labels: "9 map string",
    annotations: "10 map string",
    logPath: "11 string",
    stdin: "12 bool",
    stdinOnce: "13 bool",
    tty: "14 bool",
    linux: "15 LinuxContainerConfig",
    windows: "16 WindowsContainerConfig",
    CDIDevices: "17 repeated CDIDevice",
  },
  CreateContainerRequest: {
    podSandboxId: "1 string",
    config: "2 ContainerConfig",
    sandboxConfig: "3 PodSandboxConfig",
  },
  CreateContainerResponse: { containerId: "1 string" },
  StartContainerRequest: { containerId: "1 string" },
  StartContainerResponse: {},
  StopContainerRequest: { containerId: "1 string", timeout: "2 int64" },
  StopContainerResponse: {},
  RemoveContainerRequest: { containerId: "1 string" },
  RemoveContainerResponse: {},
  ContainerStateValue: { state: "1 int32" },
  ContainerFilter: {
    id: "1 string",
    state: "2 ContainerStateValue",
    podSandboxId: "3 string",
    labelSelector: "4 map string",
  },
  ListContainersRequest: { filter: "1 ContainerFilter" },
  Container: {
    id: "1 string",
    podSandboxId: "2 string",
    metadata: "3 ContainerMetadata",
    image: "4 ImageSpec",
    imageRef: "5 string",
    state: "6 int32",
    createdAt: "7 int64",
    labels: "8 map string",
    annotations: "9 map string",
    imageId: "10 string",
  },
  ListContainersResponse: { containers: "1 repeated Container" },
  ContainerStatusRequest: { containerId: "1 string", verbose: "2 bool" },
  ContainerStatus: {
    id: "1 string",
    metadata: "2 ContainerMetadata",
    state: "3 int32",
    createdAt: "4 int64",
    startedAt: "5 int64",
    finishedAt: "6 int64",
    exitCode: "7 int32",
    image: "8 ImageSpec",
    imageRef: "9 string",
    reason: "10 string",
    message: "11 string",
    labels: "12 map string",
    annotations: "13 map string",
    mounts: "14 repeated Mount",
    logPath: "15 string",
    resources: "16 ContainerResources",
    imageId: "17 string",
    user: "18 ContainerUser",
  },
  ContainerStatusResponse: { status: "1 ContainerStatus", info: "2 map string" },
  ContainerResources: {
    linux: "1 LinuxContainerResources",
    windows: "2 WindowsContainerResources",
  },
  ContainerUser: { linux: "1 LinuxContainerUser" },
  UpdateContainerResourcesRequest: {
    containerId: "1 string",
    linux: "2 LinuxContainerResources",
    windows: "3 WindowsContainerResources",
    annotations: "4 map string",
  },
  UpdateContainerResourcesResponse: {},
  ExecSyncRequest: { containerId: "1 string", cmd: "2 repeated string", timeout: "3 int64" },
  ExecSyncResponse: { stdout: "1 bytes", stderr: "2 bytes", exitCode: "3 int32" },
  ExecRequest: {
    containerId: "1 string",
    cmd: "2 repeated string",
    tty: "3 bool",
    stdin: "4 bool",
    stdout: "5 bool",
    stderr: "6 bool",
  },
  ExecResponse: { url: "1 string" },
  AttachRequest: {
    containerId: "1 string",
    stdin: "2 bool",
    tty: "3 bool",
    stdout: "4 bool",
    stderr: "5 bool",
  },
  AttachResponse: { url: "1 string" },
  PortForwardRequest: { podSandboxId: "1 string", port: "2 repeated int32" },
  PortForwardResponse: { url: "1 string" },
  ImageFilter: { image: "1 ImageSpec" },
  ListImagesRequest: { filter: "1 ImageFilter" },
  Image: {
    id: "1 string",
    repoTags: "2 repeated string",
    repoDigests: "3 repeated string",
    size: "4 uint64",
    uid: "5 Int64Value",
    username: "6 string",
    spec: "7 ImageSpec",
    pinned: "8 bool",
  },
  ListImagesResponse: { images: "1 repeated Image" },
  ImageStatusRequest: { image: "1 ImageSpec", verbose: "2 bool" },
  ImageStatusResponse: { image: "1 Image", info: "2 map string" },
  AuthConfig: {
    username: "1 string",
    password: "2 string",
    auth: "3 string",
    serverAddress: "4 string",
    identityToken: "5 string",
    registryToken: "6 string",
  },
  PullImageRequest: {
    image: "1 ImageSpec",
    auth: "2 AuthConfig",
    sandboxConfig: "3 PodSandboxConfig",
  },
  PullImageResponse: { imageRef: "1 string" },
  RemoveImageRequest: { image: "1 ImageSpec" },
  RemoveImageResponse: {},
  NetworkConfig: { podCidr: "1 string" },
  RuntimeConfig: { networkConfig: "1 NetworkConfig" },
  UpdateRuntimeConfigRequest: { runtimeConfig: "1 RuntimeConfig" },
  UpdateRuntimeConfigResponse: {},
  RuntimeCondition: { type: "1 string", status: "2 bool", reason: "3 string", message: "4 string" },
  RuntimeStatus: { conditions: "1 repeated RuntimeCondition" },
  StatusRequest: { verbose: "1 bool" },
  RuntimeHandlerFeatures: { recursiveReadOnlyMounts: "1 bool", userNamespaces: "2 bool" },
  RuntimeHandler: { name: "1 string", features: "2 RuntimeHandlerFeatures" },
  RuntimeFeatures: { supplementalGroupsPolicy: "1 bool" },
  StatusResponse: {
    status: "1 RuntimeStatus",
    info: "2 map string",
    runtimeHandlers: "3 repeated RuntimeHandler",
    features: "4 RuntimeFeatures",
  },
  ImageFsInfoRequest: {},
  UInt64Value: { value: "1 uint64" },
  FilesystemIdentifier: { mountpoint: "1 string" },
  FilesystemUsage: {
    timestamp: "1 int64",
    fsId: "2 FilesystemIdentifier",
    usedBytes: "3 UInt64Value",
    inodesUsed: "4 UInt64Value",
  },
  WindowsFilesystemUsage: {
    timestamp: "1 int64",
    fsId: "2 FilesystemIdentifier",
    usedBytes: "3 UInt64Value",
  },
  ImageFsInfoResponse: {
    imageFilesystems: "1 repeated FilesystemUsage",
    containerFilesystems: "2 repeated FilesystemUsage",
  },
  ContainerStatsRequest: { containerId: "1 string" },
  ContainerStatsResponse: { stats: "1 ContainerStats" },
  ListContainerStatsRequest: { filter: "1 ContainerStatsFilter" },
  ContainerStatsFilter: { id: "1 string", podSandboxId: "2 string", labelSelector: "3 map string" },
  ListContainerStatsResponse: { stats: "1 repeated ContainerStats" },
  ContainerAttributes: {
    id: "1 string",
    metadata: "2 ContainerMetadata",
    labels: "3 map string",
    annotations: "4 map string",
  },
  ContainerStats: {
    attributes: "1 ContainerAttributes",
    cpu: "2 CpuUsage",
    memory: "3 MemoryUsage",
    writableLayer: "4 FilesystemUsage",
    swap: "5 SwapUsage",
  },
  WindowsContainerStats: {
    attributes: "1 ContainerAttributes",
    cpu: "2 WindowsCpuUsage",
    memory: "3 WindowsMemoryUsage",
    writableLayer: "4 WindowsFilesystemUsage",
  },
  CpuUsage: {
    timestamp: "1 int64",
    usageCoreNanoSeconds: "2 UInt64Value",
    usageNanoCores: "3 UInt64Value",
  },
  WindowsCpuUsage: {
    timestamp: "1 int64",
    usageCoreNanoSeconds: "2 UInt64Value",
    usageNanoCores: "3 UInt64Value",
  },
  MemoryUsage: {
    timestamp: "1 int64",
    workingSetBytes: "2 UInt64Value",
    availableBytes: "3 UInt64Value",
    usageBytes: "4 UInt64Value",
    rssBytes: "5 UInt64Value",
    pageFaults: "6 UInt64Value",
    majorPageFaults: "7 UInt64Value",
  },
  SwapUsage: {
    timestamp: "1 int64",
    swapAvailableBytes: "2 UInt64Value",
    swapUsageBytes: "3 UInt64Value",
  },
  WindowsMemoryUsage: {
    timestamp: "1 int64",
    workingSetBytes: "2 UInt64Value",
    availableBytes: "3 UInt64Value",
    pageFaults: "4 UInt64Value",
    commitMemoryBytes: "5 UInt64Value",
  },
  ReopenContainerLogRequest: { containerId: "1 string" },
  ReopenContainerLogResponse: {},
  CheckpointContainerRequest: { containerId: "1 string", location: "2 string", timeout: "3 int64" },
  CheckpointContainerResponse: {},
  GetEventsRequest: {},
  ContainerEventResponse: {
    containerId: "1 string",
    containerEventType: "2 int32",
    createdAt: "3 int64",
    podSandboxStatus: "4 PodSandboxStatus",
    containersStatuses: "5 repeated ContainerStatus",
  },
  ListMetricDescriptorsRequest: {},
  ListMetricDescriptorsResponse: { descriptors: "1 repeated MetricDescriptor" },
  MetricDescriptor: { name: "1 string", help: "2 string", labelKeys: "3 repeated string" },
  ListPodSandboxMetricsRequest: {},
  ListPodSandboxMetricsResponse: { podMetrics: "1 repeated PodSandboxMetrics" },
  PodSandboxMetrics: {
    podSandboxId: "1 string",
    metrics: "2 repeated Metric",
    containerMetrics: "3 repeated ContainerMetrics",
  },
  ContainerMetrics: { containerId: "1 string", metrics: "2 repeated Metric" },
  Metric: {
    name: "1 string",
    timestamp: "2 int64",
    metricType: "3 int32",
    labelValues: "4 repeated string",
    value: "5 UInt64Value",
  },
  RuntimeConfigRequest: {},
  RuntimeConfigResponse: { linux: "1 LinuxRuntimeConfiguration" },
  LinuxRuntimeConfiguration: { cgroupDriver: "1 int32" },
};

/** Method name to the messages that it takes and gives. */
export const SERVICES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  RuntimeService: {
    Version: "VersionRequest VersionResponse",
    RunPodSandbox: "RunPodSandboxRequest RunPodSandboxResponse",
    StopPodSandbox: "StopPodSandboxRequest StopPodSandboxResponse",
    RemovePodSandbox: "RemovePodSandboxRequest RemovePodSandboxResponse",
    PodSandboxStatus: "PodSandboxStatusRequest PodSandboxStatusResponse",
    ListPodSandbox: "ListPodSandboxRequest ListPodSandboxResponse",
    CreateContainer: "CreateContainerRequest CreateContainerResponse",
    StartContainer: "StartContainerRequest StartContainerResponse",
    StopContainer: "StopContainerRequest StopContainerResponse",
    RemoveContainer: "RemoveContainerRequest RemoveContainerResponse",
    ListContainers: "ListContainersRequest ListContainersResponse",
    ContainerStatus: "ContainerStatusRequest ContainerStatusResponse",
    UpdateContainerResources: "UpdateContainerResourcesRequest UpdateContainerResourcesResponse",
    ReopenContainerLog: "ReopenContainerLogRequest ReopenContainerLogResponse",
    ExecSync: "ExecSyncRequest ExecSyncResponse",
    Exec: "ExecRequest ExecResponse",
    Attach: "AttachRequest AttachResponse",
    PortForward: "PortForwardRequest PortForwardResponse",
    ContainerStats: "ContainerStatsRequest ContainerStatsResponse",
    ListContainerStats: "ListContainerStatsRequest ListContainerStatsResponse",
    PodSandboxStats: "PodSandboxStatsRequest PodSandboxStatsResponse",
    ListPodSandboxStats: "ListPodSandboxStatsRequest ListPodSandboxStatsResponse",
    UpdateRuntimeConfig: "UpdateRuntimeConfigRequest UpdateRuntimeConfigResponse",
    Status: "StatusRequest StatusResponse",
    CheckpointContainer: "CheckpointContainerRequest CheckpointContainerResponse",
    GetContainerEvents: "GetEventsRequest stream ContainerEventResponse",
    ListMetricDescriptors: "ListMetricDescriptorsRequest ListMetricDescriptorsResponse",
    ListPodSandboxMetrics: "ListPodSandboxMetricsRequest ListPodSandboxMetricsResponse",
    RuntimeConfig: "RuntimeConfigRequest RuntimeConfigResponse",
  },
  ImageService: {
    ListImages: "ListImagesRequest ListImagesResponse",
    ImageStatus: "ImageStatusRequest ImageStatusResponse",
    PullImage: "PullImageRequest PullImageResponse",
    RemoveImage: "RemoveImageRequest RemoveImageResponse",
    ImageFsInfo: "ImageFsInfoRequest ImageFsInfoResponse",
  },
};

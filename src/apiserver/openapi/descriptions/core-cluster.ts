/** Services, settings, nodes, namespaces, quotas and events, in core/v1. */
export const CORE_CLUSTER: string = `
*
 observedGeneration: The generation that this status is about.
Service: A stable name and address for the pods that a selector finds.
 spec: Which pods, and how they are reached.
 status: Addresses given by a load balancer.
ServiceSpec: How pods are reached.
 ports: Ports of the service; needed unless it is headless or an ExternalName.
 selector: Labels of the pods behind it; without one the endpoints are made by somebody else.
 clusterIP: Address within the cluster; chosen unless given, None for a headless service.
 clusterIPs: Addresses within the cluster, at most one of each family; the first is clusterIP.
 type: ClusterIP (default), NodePort, LoadBalancer or ExternalName.
 externalIPs: Further addresses that lead to the service once traffic reaches a node.
 sessionAffinity: ClientIP sends a client to the same pod; None (default).
 loadBalancerIP: Address to ask the load balancer for; deprecated.
 loadBalancerSourceRanges: Networks that may use the load balancer.
 externalName: Name that an ExternalName service stands for.
 externalTrafficPolicy: Cluster (default) sends outside traffic to all pods, Local to the node's.
 healthCheckNodePort: Port at which a node tells whether it has pods, for Local.
 publishNotReadyAddresses: Pods count as ready in its endpoints, whatever they say.
 sessionAffinityConfig: Settings of the session affinity.
 ipFamilies: Address families, IPv4 and IPv6, the first one preferred.
 ipFamilyPolicy: SingleStack (default), PreferDualStack or RequireDualStack.
 allocateLoadBalancerNodePorts: Whether a LoadBalancer gets node ports; true.
 loadBalancerClass: Which load balancer is to serve it; the default one unless given.
 internalTrafficPolicy: Cluster (default) sends inside traffic to all pods, Local to the node's.
 trafficDistribution: Which endpoints are preferred, such as PreferClose.
ServicePort: A port of a service.
 name: Unique within the service; needed when there are several.
 protocol: TCP (default), UDP or SCTP.
 appProtocol: Protocol spoken on it, such as kubernetes.io/h2c.
 port: The port of the service.
 targetPort: Port of the pods, by number or name; the same as port unless given.
 nodePort: Port of every node that leads here; chosen unless given.
ServiceStatus: What a service got.
 loadBalancer: Addresses of the load balancer.
 conditions: What holds for the service at present.
LoadBalancerStatus: Addresses of a load balancer.
 ingress: Its addresses.
LoadBalancerIngress: An address of a load balancer.
 ip: The address.
 hostname: Its name, where it has no fixed address.
 ipMode: VIP delivers to the node with the address kept, Proxy does not.
 ports: State of each port.
PortStatus: State of a port.
 port: The port.
 protocol: TCP, UDP or SCTP.
 error: What is wrong with it.
SessionAffinityConfig: Settings of session affinity.
 clientIP: For the affinity ClientIP.
ClientIPConfig: Affinity by client address.
 timeoutSeconds: How long a client keeps its pod; 10800.
Endpoints: Addresses behind a service; EndpointSlice takes its place.
 subsets: Addresses with the ports that they share.
EndpointSubset: Addresses that share ports.
 addresses: Those that are ready.
 notReadyAddresses: Those that are not.
 ports: The ports.
EndpointAddress: An address behind a service.
 ip: The address.
 hostname: Name of the host.
 nodeName: Node that it is on.
 targetRef: The pod.
EndpointPort: A port behind a service.
 name: Name of the service port.
 port: The port.
 protocol: TCP (default), UDP or SCTP.
 appProtocol: Protocol spoken on it.
ReplicationController: Keeps a number of equal pods running; Deployment takes its place.
 spec: The pods wanted.
 status: The pods there are.
ReplicationControllerSpec: The pods wanted.
 replicas: How many pods are wanted; 1 by default.
 minReadySeconds: How long a pod must be ready to count as available; 0.
 selector: Labels of the pods that belong to it; those of the template unless given.
 template: What each pod looks like.
ReplicationControllerStatus: The pods there are.
 replicas: How many there are.
 fullyLabeledReplicas: How many have all labels of the template.
 readyReplicas: How many are ready.
 availableReplicas: How many have been ready for minReadySeconds.
 conditions: What holds for it at present.
ReplicationControllerCondition: A statement about a replication controller.
ServiceAccount: An identity for processes in pods.
 secrets: Secrets that its pods may mount; tokens are no longer listed.
 imagePullSecrets: Added to the pods that use it.
 automountServiceAccountToken: Whether its pods get a token; the pod's own setting wins.
ConfigMap: Settings for pods to read.
 immutable: The data can never change.
 data: Text by key.
 binaryData: Bytes in base64 by key.
Secret: Confidential settings for pods to read.
 immutable: The data can never change.
 data: Bytes in base64 by key.
 stringData: Text by key; written into data, never read back.
 type: What the data is for; Opaque unless given.
Node: A machine that runs pods.
 spec: Its settings.
 status: What it has and how it is.
NodeSpec: Settings of a node.
 podCIDR: Network of its pods.
 podCIDRs: Networks of its pods, at most one of each family.
 providerID: Its id at the cloud provider.
 unschedulable: No new pods are scheduled to it.
 taints: Keep pods away that do not tolerate them.
 configSource: Not used any more.
 externalID: Not used any more.
NodeStatus: What a node has and how it is.
 capacity: All its resources.
 allocatable: What pods can have of them.
 phase: Not used any more.
 conditions: Ready, and pressures of memory, disk and processes.
 addresses: Addresses and names of the node.
 daemonEndpoints: Where the node agent listens.
 nodeInfo: Versions and ids.
 images: Images that it holds.
 volumesInUse: Attached volumes that pods use.
 volumesAttached: Attached volumes.
 config: Not used any more.
 runtimeHandlers: What its runtimes can do.
 features: What the node can do.
NodeCondition: A statement about a node.
 lastHeartbeatTime: When the node last said so.
NodeAddress: An address of a node.
 type: InternalIP, ExternalIP, Hostname, InternalDNS or ExternalDNS.
 address: The address.
NodeDaemonEndpoints: Where the daemons of a node listen.
 kubeletEndpoint: The node agent.
DaemonEndpoint: A port.
 Port: The port.
NodeSystemInfo: Versions and ids of a node.
 machineID: From /etc/machine-id.
 systemUUID: Id of the hardware.
 bootID: Changes with every boot.
 kernelVersion: Version of the kernel.
 osImage: Name of the distribution.
 containerRuntimeVersion: Version of the container runtime.
 kubeletVersion: Version of the node agent.
 kubeProxyVersion: Not used any more.
 operatingSystem: Such as linux.
 architecture: Such as amd64.
NodeFeatures: What a node can do.
 supplementalGroupsPolicy: It honours supplementalGroupsPolicy of pods.
NodeRuntimeHandler: A runtime of a node.
 name: Its name; empty for the default.
 features: What it can do.
NodeRuntimeHandlerFeatures: What a runtime can do.
 recursiveReadOnlyMounts: Recursive read-only mounts.
 userNamespaces: User ids apart from the node's.
ContainerImage: An image that a node holds.
 names: Names and digests of it.
 sizeBytes: Its size.
NodeConfigSource: Not used any more.
 configMap: Not used any more.
ConfigMapNodeConfigSource: Not used any more.
 namespace: Not used any more.
 name: Not used any more.
 uid: Not used any more.
 resourceVersion: Not used any more.
 kubeletConfigKey: Not used any more.
NodeConfigStatus: Not used any more.
 assigned: Not used any more.
 active: Not used any more.
 lastKnownGood: Not used any more.
 error: Not used any more.
Taint: Keeps pods away that do not tolerate it.
 key: Its key.
 value: Its value.
 effect: NoSchedule, PreferNoSchedule, or NoExecute, which also evicts.
 timeAdded: Since when, for NoExecute.
AvoidPods: Pods that a node would rather not run.
 preferAvoidPods: The pods.
PreferAvoidPodsEntry: Pods that a node would rather not run.
 podSignature: Which pods.
 evictionTime: Since when.
 reason: Why, in one word.
 message: Why, for people.
PodSignature: Pods of a controller.
 podController: The controller.
Namespace: A room for names: objects in different ones do not meet.
 spec: Its settings.
 status: Whether it is being deleted.
NamespaceSpec: Settings of a namespace.
 finalizers: Who must let go before it is gone.
NamespaceStatus: State of a namespace.
 phase: Active, or Terminating while its objects are deleted.
 conditions: What holds a deletion up.
NamespaceCondition: A statement about a namespace.
LimitRange: Bounds and defaults for resources of objects of a namespace.
 spec: The bounds.
LimitRangeSpec: Bounds and defaults.
 limits: For each type of object.
LimitRangeItem: Bounds and defaults for a type.
 type: Pod, Container or PersistentVolumeClaim.
 max: The most of each resource.
 min: The least of each resource.
 default: Limits for containers that give none.
 defaultRequest: Requests for containers that give none.
 maxLimitRequestRatio: How many times its request a limit may be.
ResourceQuota: The most that a namespace may use.
 spec: The bounds.
 status: What is used.
ResourceQuotaSpec: The most that a namespace may use.
 hard: Amounts by resource, such as requests.cpu or count/deployments.apps.
 scopes: Which objects count; all of these must hold.
 scopeSelector: Which objects count, in more words.
ResourceQuotaStatus: What a namespace uses.
 hard: Amounts in force.
 used: Amounts in use.
ScopeSelector: Which objects count.
 matchExpressions: All of these must hold.
ScopedResourceSelectorRequirement: A requirement of a scope.
 scopeName: The scope, such as BestEffort or PriorityClass.
 operator: In, NotIn, Exists or DoesNotExist.
 values: For In and NotIn at least one, for the others none.
Event: Something that happened to an object.
 involvedObject: The object.
 reason: What happened, in one word.
 message: What happened, for people.
 source: Who says so.
 firstTimestamp: When it first happened.
 lastTimestamp: When it last happened.
 count: How often it happened.
 type: Normal or Warning.
 eventTime: When it was first seen.
 series: Repetitions.
 action: What was done about it.
 related: Another object that it is about.
 reportingComponent: Controller that says so, such as kubernetes.io/kubelet.
 reportingInstance: Which one of them.
EventSource: Who reports an event.
 component: The component.
 host: Its node.
EventSeries: Repetitions of an event.
 count: How often it happened.
 lastObservedTime: When it last happened.
ObjectReference: Refers to an object.
 kind: Its kind.
 namespace: Its namespace.
 name: Its name.
 uid: Its unique id.
 apiVersion: Its API version.
 resourceVersion: The state of it that is meant.
 fieldPath: Part of it that is meant, such as spec.containers{name}.
LocalObjectReference: An object of the same namespace.
 name: Its name.
SerializedReference: A reference as text.
 reference: The object.
ComponentStatus: Health of a part of the control plane; deprecated.
 conditions: What holds for it at present.
ComponentCondition: A statement about a component.
 error: What is wrong, if anything.
Preconditions: What must hold for a deletion.
 uid: Unique id that the object must have.
RangeAllocation: Which numbers of a range are taken; internal.
 range: The range.
 data: A bit for each number.
List: Objects of any kinds.
`;

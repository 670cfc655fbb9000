/** Networking, discovery and storage kinds, and small groups of cluster-wide settings. */
export const NETWORKING: string = `
NetworkPolicy: Who may talk to pods, and to whom they may talk.
 spec: Which pods, and what is allowed.
NetworkPolicySpec: Which pods, and what is allowed.
 podSelector: The pods; an empty one means all of the namespace.
 ingress: What may come in; nothing unless a rule allows it.
 egress: What may go out; nothing unless a rule allows it.
 policyTypes: Ingress, Egress or both: which direction it is about.
NetworkPolicyIngressRule: What may come in.
 ports: Ports of the pods; all unless given.
 from: Who may talk to them; everybody unless given.
NetworkPolicyEgressRule: What may go out.
 ports: Ports of the others; all unless given.
 to: To whom they may talk; to everybody unless given.
NetworkPolicyPort: Ports.
 protocol: TCP (default), UDP or SCTP.
 port: Number, or name of a port of the pod; all unless given.
 endPort: Last of a range that begins with port.
NetworkPolicyPeer: The other side: pods, or addresses.
 podSelector: Pods by their labels.
 namespaceSelector: Namespaces by their labels; the policy's own unless given.
 ipBlock: Addresses; not with the others.
IPBlock: Addresses.
 cidr: A network such as 192.0.2.0/24.
 except: Networks within it that are left out.
Ingress: Brings requests from outside to services, by host and path.
 spec: Which requests go where.
 status: Where it can be reached.
IngressSpec: Which requests go where.
 ingressClassName: Class that serves it; the default class unless given.
 defaultBackend: Where requests go that fit no rule.
 tls: Hosts that speak TLS.
 rules: Hosts and their paths.
IngressTLS: Hosts that speak TLS.
 hosts: Names that the certificate is for.
 secretName: Secret with tls.crt and tls.key.
IngressRule: A host and its paths.
 host: Name of the host, or *.NAME; all unless given.
 http: Its paths.
IngressRuleValue: Paths of a host.
 http: The paths.
HTTPIngressRuleValue: Paths of a host.
 paths: The paths.
HTTPIngressPath: A path and where it goes.
 path: Begins with a slash.
 pathType: Exact, Prefix by whole elements, or ImplementationSpecific.
 backend: Where it goes.
IngressBackend: Where requests go: a service or another object.
 service: A service.
 resource: Another object of the namespace.
IngressServiceBackend: A port of a service.
 name: The service.
 port: The port.
ServiceBackendPort: A port, by name or number.
 name: Its name.
 number: Its number.
IngressStatus: Where an ingress can be reached.
 loadBalancer: Its addresses.
IngressLoadBalancerStatus: Addresses of a load balancer.
 ingress: The addresses.
IngressLoadBalancerIngress: An address of a load balancer.
 ip: The address.
 hostname: Its name, where it has no fixed address.
 ports: State of each port.
IngressPortStatus: State of a port.
 port: The port.
 protocol: TCP, UDP or SCTP.
 error: What is wrong with it.
IngressClass: A kind of ingress controller.
 spec: Which controller, and its settings.
IngressClassSpec: Which controller, and its settings.
 controller: Name of the controller.
 parameters: Object with its settings.
IngressClassParametersReference: Object with settings.
 apiGroup: Its group; the core group unless given.
 kind: Its kind.
 name: Its name.
 scope: Cluster (default) or Namespace.
 namespace: Its namespace.
`;

export const DISCOVERY: string = `
EndpointSlice: Some of the addresses behind a service.
 addressType: IPv4, IPv6 or FQDN.
 endpoints: The addresses, at most 1000.
 ports: Ports that they share.
Endpoint: An address behind a service.
 addresses: The address; further ones are equal to it.
 conditions: Whether it can be used.
 hostname: Name of the host.
 targetRef: The pod.
 nodeName: Node that it is on.
 hints: Who should use it.
EndpointConditions: Whether an address can be used.
 ready: It takes requests, and is not being stopped.
 serving: It takes requests.
 terminating: It is being stopped.
EndpointHints: Who should use an address.
 forZones: Zones whose clients should.
ForZone: A zone.
 name: Its name.
EndpointPort: A port behind a service.
 name: Name of the service port.
 protocol: TCP (default), UDP or SCTP.
 port: The port.
 appProtocol: Protocol spoken on it.
`;

/** What only one version has. */
export const DISCOVERY_V1: string = `
Endpoint: An address behind a service.
 deprecatedTopology: Not used any more.
 zone: Zone that it is in.
`;
export const DISCOVERY_V1BETA1: string = `
Endpoint: An address behind a service.
 topology: Labels of the place that it is in, its zone among them.
`;

export const EVENTS: string = `
Event: Something that happened to an object.
 eventTime: When it was first seen.
 series: Repetitions.
 reportingController: Controller that says so, such as kubernetes.io/kubelet.
 reportingInstance: Which one of them.
 action: What was done about it.
 reason: What happened, in one word.
 regarding: The object.
 related: Another object that it is about.
 note: What happened, for people.
 type: Normal or Warning.
 deprecatedSource: Who says so, in core/v1.
 deprecatedFirstTimestamp: When it first happened, in core/v1.
 deprecatedLastTimestamp: When it last happened, in core/v1.
 deprecatedCount: How often it happened, in core/v1.
EventSeries: Repetitions of an event.
 count: How often it happened.
 lastObservedTime: When it last happened.
`;

export const STORAGE: string = `
StorageClass: A kind of storage that claims can ask for.
 provisioner: Who makes the volumes.
 parameters: Settings for the provisioner.
 reclaimPolicy: What happens to a volume after its claim is gone: Delete (default) or Retain.
 mountOptions: Options for mounting; not checked.
 allowVolumeExpansion: Claims may grow.
 volumeBindingMode: Immediate (default), or WaitForFirstConsumer to wait for a pod.
 allowedTopologies: Where volumes may be made.
VolumeAttachment: A volume to be attached to a node.
 spec: Which volume and which node.
 status: Whether it is attached.
VolumeAttachmentSpec: Which volume and which node.
 attacher: Driver that attaches it.
 source: The volume.
 nodeName: The node.
VolumeAttachmentSource: A volume.
 persistentVolumeName: Name of a persistent volume.
 inlineVolumeSpec: A volume that has no object of its own.
VolumeAttachmentStatus: Whether a volume is attached.
 attached: It is.
 attachmentMetadata: What the driver tells the node.
 attachError: Why it could not be attached.
 detachError: Why it could not be detached.
VolumeError: What went wrong.
 time: When.
 message: What, for people.
CSIDriver: A CSI driver and what it needs.
 spec: What it needs.
CSIDriverSpec: What a CSI driver needs.
 attachRequired: Volumes must be attached before they are mounted; true.
 podInfoOnMount: It is told which pod it mounts for; false.
 volumeLifecycleModes: Persistent (default), Ephemeral, or both.
 storageCapacity: It tells how much room it has where; false.
 fsGroupPolicy: Whether volumes change owner: ReadWriteOnceWithFSType (default), File or None.
 tokenRequests: Tokens of the pod's service account that it is given.
 requiresRepublish: It is asked again and again to mount; false.
 seLinuxMount: It can mount with an SELinux label; false.
TokenRequest: A token to give to a driver.
 audience: Who is to accept it.
 expirationSeconds: How long it is valid.
CSINode: CSI drivers of a node.
 spec: The drivers.
CSINodeSpec: CSI drivers of a node.
 drivers: The drivers.
CSINodeDriver: A CSI driver of a node.
 name: The driver.
 nodeID: The node's id at the driver.
 topologyKeys: Labels of nodes that say where its volumes can be reached.
 allocatable: How much the node can take.
VolumeNodeResources: How much a node can take.
 count: How many volumes; any number unless given.
CSIStorageCapacity: How much room a driver has somewhere.
 nodeTopology: Nodes for which this holds.
 storageClassName: Class for which this holds.
 capacity: How much room there is.
 maximumVolumeSize: The largest volume that can be made.
`;

export const RBAC: string = `
*
 rules: What is allowed.
 subjects: Who may do it.
 roleRef: The role; cannot change.
Role: What may be done within a namespace.
ClusterRole: What may be done anywhere, or in any namespace by a RoleBinding.
 aggregationRule: Roles whose rules are collected into this one.
RoleBinding: Who has a role within a namespace.
ClusterRoleBinding: Who has a cluster role everywhere.
PolicyRule: What is allowed.
 verbs: Such as get, list, watch, create, update, patch, delete; * for all.
 apiGroups: Groups of the resources; "" for the core group, * for all.
 resources: Such as pods or pods/log; * for all.
 resourceNames: Only objects with these names; all unless given.
 nonResourceURLs: Paths such as /healthz or /metrics/*; only in cluster roles.
Subject: Who: a user, a group or a service account.
 kind: User, Group or ServiceAccount.
 apiGroup: "" for service accounts, rbac.authorization.k8s.io for the others.
 name: Its name.
 namespace: Namespace of the service account.
RoleRef: A role.
 apiGroup: rbac.authorization.k8s.io.
 kind: Role or ClusterRole.
 name: Its name.
AggregationRule: Roles to collect.
 clusterRoleSelectors: Cluster roles that fit one of these.
`;

export const SCHEDULING: string = `
PriorityClass: A name for a priority of pods.
 value: The priority; higher ones go first. At most 1000000000 for classes of users.
 globalDefault: Pods without a class get this one.
 description: What the class is for.
 preemptionPolicy: PreemptLowerPriority (default), or Never to displace nobody.
`;

export const NODE: string = `
RuntimeClass: A way to run pods, such as in a sandbox.
 handler: The runtime of the node that does it.
 overhead: What the runtime itself takes for a pod.
 scheduling: Nodes that can do it.
Overhead: What a runtime takes for a pod.
 podFixed: Amounts for each pod.
Scheduling: Nodes that can run a class.
 nodeSelector: Labels that they have; added to the pods' own.
 tolerations: Added to the pods' own.
`;

export const COORDINATION: string = `
Lease: Who leads, or that somebody is alive.
 spec: Holder and times.
LeaseSpec: Holder and times of a lease.
 holderIdentity: Who holds it.
 leaseDurationSeconds: How long after renewTime others must wait before they take it.
 acquireTime: Since when the holder has it.
 renewTime: When the holder last renewed it.
 leaseTransitions: How often it changed hands.
 strategy: How a leader is picked.
 preferredHolder: Who should take it next.
`;

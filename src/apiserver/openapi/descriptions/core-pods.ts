/** Pods and what they are made of, in core/v1. `descriptions.ts` says how this is spelled. */
export const CORE_PODS: string = `
*
 optional: Do without when the object or the key is missing; otherwise the container waits for it.
 apiGroup: Group of the object; empty for the core group.
Pod: One or more containers that run together on a node and share network and volumes.
 spec: What is to run. Most of it cannot change once the pod exists.
 status: What is running, as last seen by the node.
PodStatusResult: The status of a pod alone; no longer used.
 status: The status.
PodTemplate: A pod to make copies of.
 template: What each copy looks like.
PodTemplateSpec: What pods that a controller makes look like.
 spec: What the pods run.
PodSpec: What a pod runs, where it may run and what it may do.
 volumes: Storage that the containers can mount.
 initContainers: Containers that run to their end one after another before the others start.
 containers: Containers that run for as long as the pod does; at least one.
 ephemeralContainers: Containers added to the running pod to look into it.
 restartPolicy: Whether containers start again after they end: Always (default), OnFailure, Never.
 terminationGracePeriodSeconds: Seconds between asking the containers to stop and killing them; 30.
 activeDeadlineSeconds: Seconds after its start at which the pod is stopped and counts as failed.
 dnsPolicy: Where name resolution comes from: ClusterFirst (default), Default, None or
  ClusterFirstWithHostNet.
 nodeSelector: Labels that a node must have to run the pod.
 serviceAccountName: The account that the pod's processes act as towards the API; "default".
 serviceAccount: Older name of serviceAccountName.
 automountServiceAccountToken: Whether a token of the service account is mounted; true.
 nodeName: The node that runs the pod; set by the scheduler.
 hostNetwork: Use the node's network instead of one of its own.
 hostPID: See the node's processes.
 hostIPC: Share the node's inter-process communication.
 shareProcessNamespace: Let the containers see each other's processes.
 securityContext: Identity and privileges for all containers.
 imagePullSecrets: Secrets with credentials for the registries of the images.
 hostname: Name of the host as seen inside; the pod's name unless given.
 subdomain: Name of a Service: the full name is then HOSTNAME.SUBDOMAIN.NAMESPACE.svc.DOMAIN.
 affinity: Rules that draw the pod to, or keep it from, nodes and other pods.
 schedulerName: Which scheduler finds the node; "default-scheduler".
 tolerations: Taints of nodes that the pod puts up with.
 hostAliases: Lines to add to /etc/hosts.
 priorityClassName: Class that gives the pod its priority.
 priority: Pods with more of it go first and may displace those with less; from the class.
 dnsConfig: Resolver settings, merged with those of dnsPolicy.
 readinessGates: Conditions that must be true, beside ready containers, for the pod to be ready.
 runtimeClassName: Class of the runtime that runs the pod; the node's default unless given.
 enableServiceLinks: Whether Services of the namespace appear in environment variables; true.
 preemptionPolicy: Whether lesser pods may be displaced: PreemptLowerPriority (default) or Never.
 overhead: Resources that the runtime itself takes for the pod; from the runtime class.
 topologySpreadConstraints: How evenly like pods are spread over zones, nodes and so on.
 setHostnameAsFQDN: The full name is the host name, instead of its first part.
 os: The operating system that the pod is for.
 hostUsers: False gives the pod user ids of its own, apart from the node's.
 schedulingGates: The pod is not scheduled before all of them are removed.
 resourceClaims: Claims to devices that the containers can name.
 resources: Resources of the pod as a whole.
PodStatus: What is known of a running pod.
 phase: Pending, Running, Succeeded, Failed or Unknown.
 conditions: What holds for the pod at present: scheduled, initialized, ready and so on.
 message: Why the pod is in this state, for people.
 reason: Why the pod is in this state, in one word, such as Evicted.
 nominatedNodeName: Node on which room is being made for the pod.
 hostIP: Address of the node.
 hostIPs: Addresses of the node, at most one of each family.
 podIP: Address of the pod.
 podIPs: Addresses of the pod, at most one of each family.
 startTime: When the node took the pod on.
 initContainerStatuses: State of each init container.
 containerStatuses: State of each container.
 ephemeralContainerStatuses: State of each ephemeral container.
 qosClass: How the pod fares when memory is short: Guaranteed, Burstable or BestEffort.
 resize: State of a change of resources under way.
 resourceClaimStatuses: Which claims stand behind those of the spec.
PodIP: An address of a pod.
 ip: The address.
HostIP: An address of a node.
 ip: The address.
PodCondition: A statement about a pod.
 lastProbeTime: When it was last checked.
PodOS: An operating system.
 name: linux or windows.
PodSchedulingGate: Holds a pod back from being scheduled.
 name: Unique within the pod.
PodReadinessGate: A condition that readiness waits for.
 conditionType: Type of the condition in the pod's status.
PodResourceClaim: A claim to a device, by a name that containers use.
 name: Unique within the pod.
 resourceClaimName: An existing claim.
 resourceClaimTemplateName: A template from which a claim is made for this pod.
PodResourceClaimStatus: The claim that was made for a name.
 name: The name in the pod's spec.
 resourceClaimName: The claim.
PodDNSConfig: Settings of the resolver.
 nameservers: Addresses of name servers, asked in this order.
 searches: Domains to try for short names.
 options: Options of the resolver, such as ndots.
PodDNSConfigOption: An option of the resolver.
 name: Its name, such as ndots.
 value: Its value, if it takes one.
HostAlias: A line of /etc/hosts.
 ip: The address.
 hostnames: Names that stand for it.
TopologySpreadConstraint: Spreads pods over the values of a node label.
 maxSkew: How many more pods one value may have than another; at least 1.
 topologyKey: The node label.
 whenUnsatisfiable: DoNotSchedule holds the pod back, ScheduleAnyway only prefers.
 labelSelector: Pods to count.
 minDomains: Fewer values than this count as if one had no pods.
 nodeAffinityPolicy: Honor (default) counts only nodes the pod selects; Ignore counts all.
 nodeTaintsPolicy: Honor counts only nodes whose taints are tolerated; Ignore (default) counts all.
 matchLabelKeys: Labels of the pod whose values the counted pods must share.
Container: A process with its own file system, made from an image.
 name: Unique within the pod; a DNS label. Cannot change.
 image: Reference of the image, such as nginx:1.25.
 command: Program and first arguments in place of the image's entry point; $(VAR) is replaced.
 args: Arguments in place of the image's; $(VAR) is replaced.
 workingDir: Directory that the program starts in; the image's unless given.
 ports: Ports that the container listens on, for information; others can be reached too.
 envFrom: Config maps and secrets whose entries become environment variables.
 env: Environment variables; they win over envFrom.
 resources: Processor time, memory and more that it may and must have.
 resizePolicy: Whether the container restarts when a resource is changed.
 restartPolicy: Always makes an init container run beside the others as a sidecar.
 volumeMounts: Where volumes appear in its file system.
 volumeDevices: Where volumes appear as block devices.
 livenessProbe: Restarts the container when it fails.
 readinessProbe: Takes the pod out of its Services while it fails.
 startupProbe: Holds the other probes back until it succeeds.
 lifecycle: What to do after its start and before its end.
 terminationMessagePath: File whose content becomes the message of its end; /dev/termination-log.
 terminationMessagePolicy: File (default), or FallbackToLogsOnError to take the end of the log.
 imagePullPolicy: When to ask the registry: Always, IfNotPresent or Never.
 securityContext: Identity and privileges of this container; wins over the pod's.
 stdin: Keep standard input open.
 stdinOnce: Close standard input after the first client detaches.
 tty: Give the container a terminal.
EphemeralContainer < Container: A container added to a running pod to look into it.
 targetContainerName: Container whose processes it can see.
EphemeralContainerCommon < Container: What ephemeral containers have in common with others.
ContainerPort: A port that a container listens on.
 name: Name that Services can use; unique within the pod.
 hostPort: The same port of the node leads to the container.
 containerPort: The port, 1 to 65535.
 protocol: TCP (default), UDP or SCTP.
 hostIP: Address of the node to which the host port is bound.
ContainerResizePolicy: What a change of a resource means for the container.
 resourceName: cpu or memory.
 restartPolicy: NotRequired (default) or RestartContainer.
EnvVar: An environment variable.
 name: Its name.
 value: Its value; $(VAR) is replaced by variables before it.
 valueFrom: Where its value comes from, in place of value.
EnvVarSource: Where the value of an environment variable comes from; one of these.
 fieldRef: A field of the pod.
 resourceFieldRef: A resource of a container.
 configMapKeyRef: An entry of a ConfigMap.
 secretKeyRef: An entry of a Secret.
EnvFromSource: Entries that become environment variables.
 prefix: Text to put before each name.
 configMapRef: The ConfigMap to take.
 secretRef: The Secret to take.
ConfigMapEnvSource: A ConfigMap whose entries become environment variables.
 name: The ConfigMap.
SecretEnvSource: A Secret whose entries become environment variables.
 name: The Secret.
ConfigMapKeySelector: An entry of a ConfigMap.
 name: The ConfigMap.
 key: The entry.
SecretKeySelector: An entry of a Secret.
 name: The Secret.
 key: The entry.
ObjectFieldSelector: A field of an object.
 apiVersion: Version in which the path is meant; v1.
 fieldPath: Path such as metadata.name, metadata.labels['a'] or status.podIP.
ResourceFieldSelector: A resource of a container.
 containerName: The container; needed in volumes.
 resource: Such as limits.cpu or requests.memory.
 divisor: Unit in which the amount is given; 1.
VolumeMount: Where a volume appears in a container.
 name: The volume.
 readOnly: Nothing can be written.
 recursiveReadOnly: Whether mounts below are read-only as well: Disabled, IfPossible or Enabled.
 mountPath: Path within the container; without a colon.
 subPath: Path within the volume to mount instead of its root.
 subPathExpr: Like subPath, with $(VAR) replaced by environment variables.
 mountPropagation: Whether later mounts are seen: None (default), HostToContainer, Bidirectional.
VolumeMountStatus: A mount as it was made.
 name: The volume.
 mountPath: Path within the container.
 readOnly: Nothing can be written.
 recursiveReadOnly: Whether the mounts below are read-only as well.
VolumeDevice: Where a volume appears as a block device.
 name: The claim's volume.
 devicePath: Path within the container.
ResourceRequirements: What a container may and must have.
 limits: The most it may use.
 requests: What must be free on the node; the limits unless given.
 claims: Claims of the pod whose devices it uses.
ResourceClaim: A claim of the pod.
 name: Its name in the pod's resourceClaims.
 request: One request of the claim; all of them unless given.
Probe: A check that is run again and again.
 initialDelaySeconds: Wait after the container's start; 0.
 timeoutSeconds: Time a check may take; 1.
 periodSeconds: Time from check to check; 10.
 successThreshold: Successes in a row that count as recovery; 1.
 failureThreshold: Failures in a row that count as failure; 3.
 terminationGracePeriodSeconds: Time to stop after this probe failed, in place of the pod's.
 exec: Run a command in the container; exit code 0 is success.
 httpGet: Ask by HTTP; a code from 200 to 399 is success.
 tcpSocket: Open a TCP connection.
 grpc: Ask the gRPC health service.
ProbeHandler < Probe: How a check is made.
Lifecycle: What to do around a container's life.
 postStart: Right after its start; the container is killed when this fails.
 preStop: Before it is asked to stop, within the grace period.
LifecycleHandler: An action; one of these.
 exec: Run a command in the container.
 httpGet: Send an HTTP request.
 tcpSocket: Not supported; kept for old objects.
 sleep: Wait.
ExecAction: A command.
 command: Program and arguments; no shell is involved.
HTTPGetAction: An HTTP request.
 path: Path to ask for.
 port: Number, or name of a port of the container.
 host: Host to connect to; the pod's address unless given.
 scheme: HTTP (default) or HTTPS.
 httpHeaders: Further headers.
HTTPHeader: A header of an HTTP request.
 name: Its name.
 value: Its value.
TCPSocketAction: A TCP connection.
 port: Number, or name of a port of the container.
 host: Host to connect to; the pod's address unless given.
GRPCAction: A gRPC health check.
 port: Port of the service.
 service: Name that is asked for; empty unless given.
SleepAction: A pause.
 seconds: How long.
ContainerStatus: State of a container.
 name: The container.
 state: What it does now.
 lastState: How it ended before its last restart.
 ready: Its readiness probe succeeds.
 restartCount: How often it was started again.
 image: The image that runs.
 imageID: Digest of the image.
 containerID: Id at the runtime, as TYPE://ID.
 started: Its startup probe succeeded.
 allocatedResources: Resources that the node has set apart.
 resources: Resources in force.
 volumeMounts: Mounts as they were made.
 user: Identity that it started with.
 allocatedResourcesStatus: Health of its devices.
ContainerState: Waiting, running or terminated.
 waiting: It does not run yet.
 running: It runs.
 terminated: It ended.
ContainerStateWaiting: A container that does not run yet.
 reason: Why, in one word, such as ImagePullBackOff.
 message: Why, for people.
ContainerStateRunning: A container that runs.
 startedAt: Since when.
ContainerStateTerminated: A container that ended.
 exitCode: Its exit code.
 signal: Signal that ended it.
 reason: Why, in one word, such as OOMKilled.
 message: Its last message.
 startedAt: When it started.
 finishedAt: When it ended.
 containerID: Id at the runtime, as TYPE://ID.
ContainerUser: Identity of a container.
 linux: Ids on Linux.
LinuxContainerUser: User and groups of a process.
 uid: User id.
 gid: Group id.
 supplementalGroups: Further group ids.
ResourceStatus: Health of the devices behind a resource.
 name: The resource.
 resources: Health of each device.
ResourceHealth: Health of a device.
 resourceID: The device.
 health: Healthy, Unhealthy or Unknown.
PodSecurityContext: Identity and privileges of all containers of a pod.
 seLinuxOptions: SELinux label.
 windowsOptions: Settings on Windows.
 runAsUser: User id; the image's unless given.
 runAsGroup: Group id; the runtime's default unless given.
 runAsNonRoot: Refuse to run as user 0.
 supplementalGroups: Further group ids.
 supplementalGroupsPolicy: Merge (default) adds groups of the image, Strict does not.
 fsGroup: Group that owns the volumes and that the processes belong to.
 fsGroupChangePolicy: When volumes change owner: Always (default) or OnRootMismatch.
 sysctls: Kernel parameters of the pod.
 seccompProfile: Which system calls are allowed.
 appArmorProfile: AppArmor profile.
 seLinuxChangePolicy: How volumes get their label: MountOption or Recursive.
SecurityContext < PodSecurityContext: Identity and privileges of a container.
 capabilities: Capabilities to add to and drop from the runtime's default.
 privileged: Nearly all that root of the node may do.
 readOnlyRootFilesystem: Only volumes can be written.
 allowPrivilegeEscalation: Whether a process may gain more privileges than its parent.
 procMount: Default masks parts of /proc, Unmasked does not.
Capabilities: Linux capabilities.
 add: To add, such as NET_ADMIN.
 drop: To take away, or ALL.
SeccompProfile: Which system calls are allowed.
 type: RuntimeDefault, Localhost for a file of the node, or Unconfined.
 localhostProfile: File below the node agent's seccomp folder, for Localhost.
AppArmorProfile: An AppArmor profile.
 type: RuntimeDefault, Localhost for one loaded on the node, or Unconfined.
 localhostProfile: Name of the profile, for Localhost.
SELinuxOptions: An SELinux label.
 user: User part.
 role: Role part.
 type: Type part.
 level: Level part.
WindowsSecurityContextOptions: Settings on Windows.
 gmsaCredentialSpecName: Name of the credential spec of a group managed account.
 gmsaCredentialSpec: Its content.
 runAsUserName: User name.
 hostProcess: Run as a process of the node.
Sysctl: A kernel parameter.
 name: Such as net.ipv4.ip_local_port_range.
 value: Its value.
Affinity: Where a pod would rather, must or must not run.
 nodeAffinity: By labels of nodes.
 podAffinity: Near other pods.
 podAntiAffinity: Away from other pods.
NodeAffinity: Rules about labels of nodes.
 requiredDuringSchedulingIgnoredDuringExecution: Must hold when the node is chosen.
 preferredDuringSchedulingIgnoredDuringExecution: Is preferred when the node is chosen.
PodAffinity < NodeAffinity: Rules about pods to be near to.
PodAntiAffinity < NodeAffinity: Rules about pods to stay away from.
PodAffinityTerm: Pods, and what counts as the same place.
 labelSelector: The pods; none unless given.
 namespaces: Namespaces to look in; the pod's own unless given.
 namespaceSelector: Namespaces to look in, by their labels.
 topologyKey: Nodes with equal values of this label are one place.
 matchLabelKeys: Labels of the pod whose values the others must share.
 mismatchLabelKeys: Labels of the pod whose values the others must not share.
WeightedPodAffinityTerm: A preference.
 weight: How much it counts, 1 to 100.
 podAffinityTerm: What is preferred.
PreferredSchedulingTerm: A preference.
 weight: How much it counts, 1 to 100.
 preference: What is preferred.
NodeSelector: Nodes by their labels and fields.
 nodeSelectorTerms: One of these must hold.
NodeSelectorTerm: All requirements must hold; one without any matches no node.
 matchExpressions: By labels.
 matchFields: By fields; only metadata.name.
NodeSelectorRequirement: A requirement of a value.
 key: The label or field.
 operator: In, NotIn, Exists, DoesNotExist, Gt or Lt.
 values: For In and NotIn at least one, for Gt and Lt one number, for the others none.
Toleration: Lets a pod run in spite of taints.
 key: Key of the taint; with Exists, empty means all.
 operator: Equal (default), or Exists for any value.
 value: Value of the taint.
 effect: NoSchedule, PreferNoSchedule or NoExecute; all unless given.
 tolerationSeconds: How long NoExecute is put up with; for ever unless given.
Binding: Puts a pod on a node.
 target: The node.
PodLogOptions: What part of a log to read.
 container: Which container; may be left out if there is one.
 follow: Go on as the log grows.
 previous: Of the container before its last restart.
 sinceSeconds: Only what is not older.
 sinceTime: Only what is not older.
 timestamps: Put the time before each line.
 tailLines: Only so many lines from the end.
 limitBytes: Stop after so many bytes.
 insecureSkipTLSVerifyBackend: Do not check the certificate of the node.
 stream: All (default), Stdout or Stderr.
PodAttachOptions: How to attach to a container.
 stdin: Send standard input.
 stdout: Get standard output.
 stderr: Get standard error.
 tty: The container has a terminal.
 container: Which container; may be left out if there is one.
PodExecOptions < PodAttachOptions: How to run a command in a container.
 tty: Give the command a terminal.
 command: Program and arguments; no shell is involved.
PodPortForwardOptions: Which ports to forward.
 ports: The ports.
PodProxyOptions: Where to send a request.
 path: Path at the pod.
NodeProxyOptions: Where to send a request.
 path: Path at the node agent.
ServiceProxyOptions: Where to send a request.
 path: Path at the service.
`;

/** Fields that many kinds have, by name. */
const COMMON_FIELDS: Readonly<Record<string, string>> = {
  apiVersion: "The group and version of this kind, such as apps/v1.",
  kind: "The kind of this object.",
  metadata: "Name, labels and bookkeeping.",
};

/** By type, then by field; "" is the type itself. In our own words, for `kubectl explain`. */
const DESCRIPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "core/v1.Pod": {
    "": "One or more containers that run together on a node and share network and volumes.",
    spec: "What is to run. Most of it cannot change once the pod exists.",
    status: "What is running, as last seen by the node.",
  },
  "core/v1.PodSpec": {
    "": "What a pod runs, where it may run and what it may do.",
    containers: "Containers that run for as long as the pod does.",
    initContainers: "Containers that run to their end, one after another, before the others start.",
    volumes: "Storage that the containers can mount.",
    restartPolicy: "Whether containers are started again after they end.",
    nodeName: "The node that runs the pod; set by the scheduler.",
    nodeSelector: "Labels that a node must have to run the pod.",
    serviceAccountName: "The account that the pod's processes act as towards the API.",
    tolerations: "Taints of nodes that the pod puts up with.",
    affinity: "Rules that draw the pod to, or keep it from, nodes and other pods.",
    hostNetwork: "Use the node's network instead of one of its own.",
    terminationGracePeriodSeconds: "Time between asking the containers to stop and killing them.",
    dnsPolicy: "Where the containers' name resolution comes from.",
    securityContext: "Identity and privileges for all containers.",
  },
  "core/v1.Container": {
    "": "A process with its own file system, made from an image.",
    name: "Name within the pod.",
    image: "Reference of the image, such as nginx:1.25.",
    command: "Program and first arguments, in place of the image's entry point.",
    args: "Arguments, in place of the image's.",
    env: "Environment variables.",
    envFrom: "Config maps and secrets whose entries become environment variables.",
    ports: "Ports that the container listens on.",
    resources: "Computing power and memory that it may and must have.",
    volumeMounts: "Where volumes appear in its file system.",
    livenessProbe: "Restarts the container when it fails.",
    readinessProbe: "Takes the pod out of its services while it fails.",
    startupProbe: "Holds the other probes back until it succeeds.",
    imagePullPolicy: "When to ask the registry for the image.",
    securityContext: "Identity and privileges of this container.",
    workingDir: "Directory that the program starts in.",
  },
  "core/v1.Service": {
    "": "A stable name and address for the pods that a selector finds.",
    spec: "Which pods, and how they are reached.",
    status: "Addresses given by a load balancer.",
  },
  "core/v1.ServiceSpec": {
    selector: "Labels of the pods behind the service.",
    ports: "Ports of the service.",
    type: "How far the service can be reached from.",
    clusterIP: "Its address within the cluster; None for a headless service.",
  },
  "core/v1.ConfigMap": {
    "": "Settings for pods to read.",
    data: "Text by key.",
    binaryData: "Bytes in base64 by key.",
    immutable: "The data can never change.",
  },
  "core/v1.Secret": {
    "": "Confidential settings for pods to read.",
    data: "Bytes in base64 by key.",
    stringData: "Text by key; written into data, never read back.",
    type: "What the data is for.",
  },
  "core/v1.Namespace": { "": "A room for names: objects in different ones do not meet." },
  "core/v1.Node": { "": "A machine that runs pods." },
  "core/v1.Event": { "": "Something that happened to an object." },
  "core/v1.PersistentVolume": { "": "A piece of storage." },
  "core/v1.PersistentVolumeClaim": { "": "A wish for storage, bound to a volume that meets it." },
  "core/v1.ServiceAccount": { "": "An identity for processes in pods." },
  "apps/v1.Deployment": {
    "": "Keeps a number of equal pods running and replaces them gradually on change.",
    spec: "The pods wanted.",
    status: "The pods there are.",
  },
  "apps/v1.DeploymentSpec": {
    replicas: "How many pods; 1 unless given.",
    selector: "Labels of the pods that belong to it.",
    template: "What each pod looks like.",
    strategy: "How old pods give way to new ones.",
    paused: "Changes of the template wait until this is false again.",
    revisionHistoryLimit: "How many old replica sets are kept to go back to.",
    progressDeadlineSeconds: "Time without progress after which the rollout counts as failed.",
    minReadySeconds: "How long a new pod must be ready to count as available.",
  },
  "apps/v1.ReplicaSet": { "": "Keeps a number of equal pods running." },
  "apps/v1.StatefulSet": {
    "": "Keeps pods running that each have a name and storage of their own.",
  },
  "apps/v1.DaemonSet": { "": "Keeps one pod running on each node." },
  "batch/v1.Job": { "": "Runs pods until enough of them have succeeded." },
  "batch/v1.CronJob": { "": "Creates jobs by the clock." },
  "autoscaling/v1.HorizontalPodAutoscaler": { "": "Scales something by a metric, within bounds." },
  "autoscaling/v2.HorizontalPodAutoscaler": { "": "Scales something by metrics, within bounds." },
  "networking/v1.Ingress": { "": "Brings requests from outside to services, by host and path." },
  "networking/v1.NetworkPolicy": { "": "Who may talk to pods, and to whom they may talk." },
  "policy/v1.PodDisruptionBudget": { "": "How many pods may be taken away at a time on purpose." },
  "rbac/v1.Role": { "": "What may be done within a namespace." },
  "rbac/v1.ClusterRole": { "": "What may be done anywhere." },
  "rbac/v1.RoleBinding": { "": "Who has a role within a namespace." },
  "rbac/v1.ClusterRoleBinding": { "": "Who has a cluster role everywhere." },
  "meta/v1.ObjectMeta": {
    "": "What every object carries beside its contents.",
    name: "Unique within the namespace and kind.",
    namespace: "The namespace that holds the object.",
    labels: "Keys and values to select objects by.",
    annotations: "Keys and values for tools.",
    uid: "Unique in time and space; set by the server.",
    resourceVersion: "Changes with every write; set by the server.",
    generation: "Grows with every change of what is wanted; set by the server.",
    ownerReferences: "Objects with which this one goes away.",
    finalizers: "Names of those who must let go before the object is gone.",
    managedFields: "Who set which field.",
  },
};

/** A sentence about a type, for those that people look up most. */
export function describeStruct(struct: string): string | undefined {
  return DESCRIPTIONS[struct]?.[""];
}

/** A sentence about a field. */
export function describeField(struct: string, field: string): string | undefined {
  return DESCRIPTIONS[struct]?.[field] ?? COMMON_FIELDS[field];
}

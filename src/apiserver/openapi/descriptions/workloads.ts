/** Workload kinds and autoscaling: apps/v1, batch/v1, autoscaling/v1 and v2, policy/v1. */
export const APPS: string = `
*
 observedGeneration: The generation that this status is about.
 selector: Labels of the pods that belong to it; must fit the template and cannot change.
 template: What each pod looks like.
 minReadySeconds: How long a pod must be ready to count as available; 0.
 revisionHistoryLimit: How many old revisions are kept to go back to; 10.
 collisionCount: How often a generated name was taken already.
Deployment: Keeps a number of equal pods running and replaces them gradually on change.
 spec: The pods wanted.
 status: The pods there are.
DeploymentSpec: The pods wanted, and how they change.
 replicas: How many pods are wanted; 1 by default.
 strategy: How old pods give way to new ones.
 paused: Changes of the template wait until this is false again.
 progressDeadlineSeconds: Time without progress after which a rollout counts as failed; 600.
DeploymentStrategy: How old pods give way to new ones.
 type: RollingUpdate (default), or Recreate to stop all old ones first.
 rollingUpdate: Settings of RollingUpdate.
RollingUpdateDeployment: Settings of a rolling update.
 maxUnavailable: How many pods may be missing, as a number or a part such as 25% (default).
 maxSurge: How many pods may be in excess, as a number or a part such as 25% (default).
DeploymentStatus: The pods there are.
 replicas: How many there are.
 updatedReplicas: How many follow the present template.
 readyReplicas: How many are ready.
 availableReplicas: How many have been ready for minReadySeconds.
 unavailableReplicas: How many are missing to the wanted number.
 conditions: Available, Progressing and ReplicaFailure.
DeploymentCondition: A statement about a deployment.
 lastUpdateTime: When it was last written.
ReplicaSet: Keeps a number of equal pods running; usually made by a Deployment.
 spec: The pods wanted.
 status: The pods there are.
ReplicaSetSpec: The pods wanted.
 replicas: How many pods are wanted; 1 by default.
ReplicaSetStatus: The pods there are.
 replicas: How many there are.
 fullyLabeledReplicas: How many have all labels of the template.
 readyReplicas: How many are ready.
 availableReplicas: How many have been ready for minReadySeconds.
 conditions: ReplicaFailure.
ReplicaSetCondition: A statement about a replica set.
StatefulSet: Keeps pods running that each have a name and storage of their own.
 spec: The pods wanted.
 status: The pods there are.
StatefulSetSpec: The pods wanted, their storage, and how they change.
 replicas: How many pods are wanted; 1 by default.
 volumeClaimTemplates: Claims that are made for each pod, named TEMPLATE-POD.
 serviceName: Headless Service that gives the pods their DNS names.
 podManagementPolicy: OrderedReady (default) goes one by one, Parallel all at once.
 updateStrategy: How pods change.
 persistentVolumeClaimRetentionPolicy: Whether claims go away with their pods.
 ordinals: How the pods are counted.
StatefulSetUpdateStrategy: How pods change.
 type: RollingUpdate (default), or OnDelete to wait until somebody deletes them.
 rollingUpdate: Settings of RollingUpdate.
RollingUpdateStatefulSetStrategy: Settings of a rolling update.
 partition: Only pods with this ordinal or a higher one change; 0.
 maxUnavailable: How many pods may be missing, as a number or a part; 1.
StatefulSetPersistentVolumeClaimRetentionPolicy: Whether claims go away with their pods.
 whenDeleted: Retain (default) or Delete, when the set is deleted.
 whenScaled: Retain (default) or Delete, when there are to be fewer pods.
StatefulSetOrdinals: How pods are counted.
 start: The first number; 0.
StatefulSetStatus: The pods there are.
 replicas: How many there are.
 readyReplicas: How many are ready.
 currentReplicas: How many are of currentRevision.
 updatedReplicas: How many are of updateRevision.
 currentRevision: Revision from which the change goes.
 updateRevision: Revision to which the change goes.
 conditions: What holds for it at present.
 availableReplicas: How many have been ready for minReadySeconds.
StatefulSetCondition: A statement about a stateful set.
DaemonSet: Keeps one pod running on each node that its template allows.
 spec: The pods wanted.
 status: The pods there are.
DaemonSetSpec: The pods wanted, and how they change.
 updateStrategy: How pods change.
DaemonSetUpdateStrategy: How pods change.
 type: RollingUpdate (default), or OnDelete to wait until somebody deletes them.
 rollingUpdate: Settings of RollingUpdate.
RollingUpdateDaemonSet: Settings of a rolling update.
 maxUnavailable: How many pods may be missing, as a number or a part; 1.
 maxSurge: How many nodes may run two for a while, as a number or a part; 0.
DaemonSetStatus: The pods there are.
 currentNumberScheduled: Nodes that should run it and do.
 numberMisscheduled: Nodes that should not run it and do.
 desiredNumberScheduled: Nodes that should run it.
 numberReady: Nodes with a ready pod.
 updatedNumberScheduled: Nodes with a pod of the present template.
 numberAvailable: Nodes with a pod that has been ready for minReadySeconds.
 numberUnavailable: Nodes that should have such a pod and have none.
 conditions: What holds for it at present.
DaemonSetCondition: A statement about a daemon set.
ControllerRevision: A former state of a StatefulSet or DaemonSet, to go back to.
 data: The state.
 revision: Grows from revision to revision.
`;

export const BATCH: string = `
Job: Runs pods until enough of them have succeeded.
 spec: What is to run.
 status: How far it is.
JobSpec: What is to run, how often, and what counts as failure.
 parallelism: How many pods may run at a time; 1.
 completions: How many pods must succeed; 1.
 activeDeadlineSeconds: Seconds after its start at which the job is stopped and failed.
 podFailurePolicy: What certain failures of pods mean.
 successPolicy: When the job has succeeded before all pods have.
 backoffLimit: How many failures of pods are put up with; 6.
 backoffLimitPerIndex: How many failures of each index are put up with.
 maxFailedIndexes: How many indexes may fail.
 selector: Labels of its pods; made by the server.
 manualSelector: The selector is given by hand.
 template: What each pod looks like; its restartPolicy is Never or OnFailure.
 ttlSecondsAfterFinished: The job is deleted so long after its end.
 completionMode: NonIndexed (default), or Indexed to give each pod a number.
 suspend: No pods run while this is true.
 podReplacementPolicy: TerminatingOrFailed or Failed: when a pod is replaced.
 managedBy: Controller that runs the job, if not the built-in one.
PodFailurePolicy: What failures of pods mean.
 rules: The first that fits counts.
PodFailurePolicyRule: What a failure means.
 action: FailJob, FailIndex, Ignore or Count.
 onExitCodes: Failures by exit code.
 onPodConditions: Failures by conditions of the pod.
PodFailurePolicyOnExitCodesRequirement: Failures by exit code.
 containerName: Only of this container.
 operator: In or NotIn.
 values: Exit codes.
PodFailurePolicyOnPodConditionsPattern: A condition of a pod.
 type: Its type.
 status: Its status; True unless given.
SuccessPolicy: When a job has succeeded.
 rules: One of these must hold.
SuccessPolicyRule: When a job has succeeded.
 succeededIndexes: Indexes that must succeed, such as 0,2-4.
 succeededCount: How many of them must.
JobStatus: How far a job is.
 conditions: Complete, Failed, Suspended and so on.
 startTime: When it started.
 completionTime: When it succeeded.
 active: Pods that run or wait.
 succeeded: Pods that succeeded.
 failed: Pods that failed.
 terminating: Pods that are being stopped.
 ready: Pods that are ready.
 completedIndexes: Indexes that succeeded, such as 1,3-5.
 failedIndexes: Indexes that failed.
 uncountedTerminatedPods: Pods that ended and are not yet counted.
UncountedTerminatedPods: Pods that ended and are not yet counted.
 succeeded: Ids of those that succeeded.
 failed: Ids of those that failed.
JobCondition: A statement about a job.
 lastProbeTime: When it was last checked.
JobTemplateSpec: A job to make copies of.
 spec: What is to run.
CronJob: Creates jobs by the clock.
 spec: When, and which jobs.
 status: What ran.
CronJobSpec: When to create which jobs.
 schedule: Minute, hour, day, month and weekday, as in cron.
 timeZone: Such as Europe/Berlin; that of the server unless given.
 startingDeadlineSeconds: How late a job may start; any time unless given.
 concurrencyPolicy: Allow (default), Forbid, or Replace the running job.
 suspend: No jobs are created while this is true.
 jobTemplate: What each job looks like.
 successfulJobsHistoryLimit: How many succeeded jobs are kept; 3.
 failedJobsHistoryLimit: How many failed jobs are kept; 1.
CronJobStatus: What ran.
 active: Jobs that run.
 lastScheduleTime: When a job was last created.
 lastSuccessfulTime: When a job last succeeded.
`;

export const AUTOSCALING_V1: string = `
*
 name: Its name.
 kind: Its kind.
 apiVersion: Its API version.
 container: The container.
 metricName: The metric.
 targetValue: Value to keep.
 targetAverageValue: Value for each pod to keep.
 targetAverageUtilization: Part of the request to keep, in percent.
 currentValue: Its value.
 currentAverageValue: Its value for each pod.
 currentAverageUtilization: Part of the request that is used, in percent.
 averageValue: Value for each pod.
 selector: Labels of the metric.
 metricSelector: Labels of the metric.
 target: The object that the metric is about.
HorizontalPodAutoscaler: Scales something by its processor use, within bounds.
 spec: What to scale, and by what.
 status: What was seen and done.
HorizontalPodAutoscalerSpec: What to scale, and by what.
 scaleTargetRef: What to scale.
 minReplicas: The least number of pods; 1.
 maxReplicas: The greatest number of pods.
 targetCPUUtilizationPercentage: Part of the requested processor time to keep, in percent; 80.
HorizontalPodAutoscalerStatus: What was seen and done.
 observedGeneration: The generation that this status is about.
 lastScaleTime: When the number of pods was last changed.
 currentReplicas: How many pods there were.
 desiredReplicas: How many pods are wanted.
 currentCPUUtilizationPercentage: Part of the requested processor time that is used, in percent.
CrossVersionObjectReference: An object of the same namespace.
Scale: How many pods something has and is to have.
 spec: The number wanted.
 status: The number there is.
ScaleSpec: The number wanted.
 replicas: How many pods.
ScaleStatus: The number there is.
 replicas: How many pods.
 selector: Labels of the pods, as text.
MetricSpec: A metric to scale by.
 type: Object, Pods, Resource, ContainerResource or External.
 object: A metric of an object.
 pods: A metric of the pods.
 resource: A resource of the pods.
 containerResource: A resource of a container of the pods.
 external: A metric from outside the cluster.
MetricStatus < MetricSpec: A metric as it was seen.
HorizontalPodAutoscalerCondition: A statement about an autoscaler.
ObjectMetricSource: A metric of an object.
PodsMetricSource: A metric of the pods.
ResourceMetricSource: A resource of the pods.
ContainerResourceMetricSource: A resource of a container of the pods.
ExternalMetricSource: A metric from outside the cluster.
ObjectMetricStatus: A metric of an object.
PodsMetricStatus: A metric of the pods.
ResourceMetricStatus: A resource of the pods.
ContainerResourceMetricStatus: A resource of a container of the pods.
ExternalMetricStatus: A metric from outside the cluster.
`;

export const AUTOSCALING_V2: string = `
*
 name: Its name.
 container: The container.
 describedObject: The object that the metric is about.
 metric: The metric.
 target: Value to keep.
 current: Its value.
HorizontalPodAutoscaler: Scales something by metrics, within bounds.
 spec: What to scale, and by what.
 status: What was seen and done.
HorizontalPodAutoscalerSpec: What to scale, and by what.
 scaleTargetRef: What to scale.
 minReplicas: The least number of pods; 1.
 maxReplicas: The greatest number of pods.
 metrics: What to scale by; the one that wants the most pods counts. 80% of cpu unless given.
 behavior: How fast to go up and down.
CrossVersionObjectReference: An object of the same namespace.
 kind: Its kind.
 apiVersion: Its API version.
MetricSpec: A metric to scale by.
 type: Object, Pods, Resource, ContainerResource or External.
 object: A metric of an object.
 pods: A metric of the pods.
 resource: A resource of the pods.
 containerResource: A resource of a container of the pods.
 external: A metric from outside the cluster.
HorizontalPodAutoscalerBehavior: How fast to go up and down.
 scaleUp: Towards more pods: at most doubling or 4 pods in 15 seconds unless given.
 scaleDown: Towards fewer pods: as far as the last 300 seconds allow unless given.
HPAScalingRules: How fast to go in one direction.
 stabilizationWindowSeconds: The most careful wish of this time counts; 0 up, 300 down.
 selectPolicy: Max (default), Min or Disabled: which of the policies counts.
 policies: How much may change in which time.
HPAScalingPolicy: How much may change in which time.
 type: Pods or Percent.
 value: How much.
 periodSeconds: In which time, 1 to 1800 seconds.
ObjectMetricSource: A metric of an object.
PodsMetricSource: A metric of the pods.
ResourceMetricSource: A resource of the pods.
ContainerResourceMetricSource: A resource of a container of the pods.
ExternalMetricSource: A metric from outside the cluster.
MetricIdentifier: A metric.
 selector: Labels that it must have.
MetricTarget: A value to keep.
 type: Utilization, Value or AverageValue.
 value: The value.
 averageValue: The value for each pod.
 averageUtilization: Part of the request, in percent.
HorizontalPodAutoscalerStatus: What was seen and done.
 observedGeneration: The generation that this status is about.
 lastScaleTime: When the number of pods was last changed.
 currentReplicas: How many pods there were.
 desiredReplicas: How many pods are wanted.
 currentMetrics: The metrics as they were seen.
 conditions: AbleToScale, ScalingActive and ScalingLimited.
HorizontalPodAutoscalerCondition: A statement about an autoscaler.
MetricStatus < MetricSpec: A metric as it was seen.
ObjectMetricStatus: A metric of an object.
PodsMetricStatus: A metric of the pods.
ResourceMetricStatus: A resource of the pods.
ContainerResourceMetricStatus: A resource of a container of the pods.
ExternalMetricStatus: A metric from outside the cluster.
MetricValueStatus < MetricTarget: The value of a metric.
`;

export const POLICY: string = `
PodDisruptionBudget: How many pods may be taken away at a time on purpose.
 spec: Which pods, and how many must stay.
 status: How many may go now.
PodDisruptionBudgetSpec: Which pods, and how many must stay.
 minAvailable: How many must stay, as a number or a part such as 50%; not with maxUnavailable.
 selector: The pods; an empty one means all of the namespace.
 maxUnavailable: How many may be missing, as a number or a part.
 unhealthyPodEvictionPolicy: IfHealthyBudget (default) or AlwaysAllow: when unready pods may go.
PodDisruptionBudgetStatus: How many pods may go now.
 observedGeneration: The generation that this status is about.
 disruptedPods: Pods that were let go and are not gone yet, with the time.
 disruptionsAllowed: How many may go now.
 currentHealthy: How many are healthy.
 desiredHealthy: How many must be healthy.
 expectedPods: How many there should be.
 conditions: DisruptionAllowed.
Eviction: Asks a pod to go, if the budgets allow.
 deleteOptions: How to delete it.
`;

export const METRICS: string = `
NodeMetrics: What a node uses.
 timestamp: The end of the time that was measured.
 window: How long was measured.
 usage: Processors and memory in use.
PodMetrics: What the containers of a pod use.
 timestamp: The end of the time that was measured.
 window: How long was measured.
 containers: The containers of the pod.
ContainerMetrics: What a container uses.
 name: The container.
 usage: Processors and memory in use.
`;

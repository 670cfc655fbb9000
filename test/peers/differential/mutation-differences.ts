import type { AcceptedDifference } from "./accepted-difference.ts";

const MUTATED = / (mutated|updated|added to|reported)$/;
const ADDED = / added to$/;
const REPORTED = / reported$/;
/** What Go writes of a structure in which nothing is set. */
const ZERO = /^(""|"0"|0|false|null|\{(("\w+":)?(""|"0"|0|false|null|[{}]|,))*\})$/;
const NOTHING = /^undefined$/;

type Rest = Omit<AcceptedDifference, "cause" | "reason" | "path">;

function version(reason: string, path: RegExp, rest: Rest = {}): AcceptedDifference {
  return { cause: "version", reason, case: MUTATED, path, ...rest };
}

function choice(reason: string, path: RegExp, rest: Rest = {}): AcceptedDifference {
  return { cause: "choice", reason, case: MUTATED, path, ...rest };
}

/** Parts of a request for a certificate. */
const REQUEST_PARTS = /causes\.spec\.(usages|signerName)/;

/** What 1.32 says otherwise of an address or range. */
const ADDRESS = /must be a valid (IP address, \(e|CIDR value)/;

/** What only shows when manifests are wrong in one place; the whole run covers each of them. */
export const MUTATION_DIFFERENCES: readonly AcceptedDifference[] = [
  choice("Required members that nobody judges are left out, where Go writes them empty.", /./, {
    ours: /^(undefined|\[\])$/,
    theirs: ZERO,
  }),
  choice(
    "What of /proc is masked can be chosen; upstream has that behind a gate.",
    /\.procMount$/,
    {
      theirs: /^"Default"$/,
    },
  ),
  choice(
    "What of /proc is masked can be chosen; upstream has that behind a gate.",
    /^answer\.status$/,
    { ours: /procMount: FieldValueNotSupported/, theirs: /^"201 / },
  ),
  choice("The name and the namespace of a webhook's service are not mixed up.", /\.service\.name/),
  choice("A path does not end with a space.", /\.nodePublishSecretRef ?\.name(space)?$/),
  choice("What is wrong with the JSON of a Secret is not told.", /causes\.data\[\.docker/, {
    ours: /unexpected end of JSON input/,
  }),
  version("Paths within a Secret's data are spelled out.", /causes\.data\[(%s\]\[)?[\w-]+\]$/, {
    kind: /^secrets?$/i,
  }),
  version(
    "1.21 to 1.28: messages of addresses and ranges became one.",
    /causes\..*(cidr|CIDR|except|nameservers)/,
    {
      ours: ADDRESS,
    },
  ),
  version("1.27: aliases are told with their index.", /\.hostAliases(\[\d+\])?\.(ip|hostnames)/),
  version("1.21: ports are named with a letter.", /\.port\[0\]$/, {
    ours: /must contain at least one letter \(a-z\)/,
  }),
  version(
    "1.24: values of label selectors are judged.",
    /matchExpressions\[\d+\]\.values\[\d+\]$/,
    {
      theirs: NOTHING,
    },
  ),
  version("1.24: values of label selectors are judged.", /^answer\.status$/, {
    ours: /^"422 .*matchExpressions\[\d+\]\.values/,
    theirs: /^"20[01] /,
  }),
  version(
    "1.30: names of environment variables may hold any printable character.",
    /^answer\.status$/,
    {
      ours: /^"20[01] /,
      theirs: /a valid environment variable name/,
    },
  ),
  version("1.21: namespaces are labelled with their name.", /metadata\.labels$/, {
    kind: /^namespaces?$/i,
  }),
  version("1.22: a negative time to end becomes a second.", /\.terminationGracePeriodSeconds$/, {
    ours: /^1$/,
    theirs: /^-1$/,
  }),
  version("1.22: DaemonSets surge.", /rollingUpdate\.maxUnavailable\[\d\]$/, {
    ours: /when maxSurge is 0/,
  }),
  version("1.28: the search list may be longer.", /dnsConfig\.searches$/, { ours: NOTHING }),
  version(
    "1.28: templates do not get the ports of the host filled in.",
    /containers\[\d+\]\.ports\[\d+\]\.(hostPort|containerPort)/,
  ),
  version("1.23: jobs that end may be deleted, so when is judged.", /^answer\.status$/, {
    ours: /ttlSecondsAfterFinished/,
  }),
  version("Another library reads schedules since 1.21.", /causes\.spec\.schedule/),
  version("1.23: raw devices may be volumes of the pod's own.", /volumeDevices\[\d+\]\.name/, {
    ours: /PersistentVolumeClaim or Ephemeral/,
  }),
  version("By 1.32: a default of a wrong type has a reason of its own.", /\.default\[\d\]$/, {
    ours: /^"FieldValueTypeInvalid: .* in body must be of type/,
  }),
  version("By 1.32: a default that is no text is complained about once.", /\.default\[\d\]$/, {
    theirs: /"null\\": +in body must be of type/,
  }),
  version("By 1.32: provisioners are told in lower case.", /causes\.provisioner\[\d\]$/, {
    ours: /"FieldValueInvalid: Invalid value: \\"-not_good/,
  }),
  version("By 1.32: keys of topologies are told one by one.", /spec\.drivers\[\d\]\[\d\]$/, {
    theirs: /<value>/,
  }),
  version("By 1.32: the value of a toleration is told alone.", /\.operator\[\d\]$/, {
    theirs: /<value>: value must be empty/,
  }),
  version("1.22: claims for one pod alone.", /accessModes\[\d+\]$/, { ours: /ReadWriteOncePod/ }),
  version(
    "1.24: any object may be the source of a claim.",
    /^answer\.(status|body\.spec\.dataSource)$/,
    {
      kind: /^(|persistentvolumeclaims?)$/i,
    },
  ),
  version("1.25: ids of nodes may be longer.", /\.nodeID/, { ours: /256 characters/ }),
  version("1.21: the message of leases.", /causes\.spec\.lease\w+/, {
    theirs: /must to greater/,
  }),
  version("1.23: addresses that a dry run would get are shown.", /\.spec\.clusterIPs?$/, {
    theirs: NOTHING,
  }),
  version(
    "1.25: what is wrong with node ports is found before anything else.",
    /(nodePort|NodePort)(\[\d\])?$/,
  ),
  version(
    "1.19: groups of the network are no more those of extensions.",
    /^answer\.body\.(details\.group|message)$/,
    {
      theirs: /"(Ingress\.|NetworkPolicy\.)?extensions/,
    },
  ),
  // What only changes show.
  version(
    "1.22: more of StatefulSets may be changed.",
    /^answer\.(status|body\.details\.causes\.spec\[\d+\])$/,
    {
      theirs: /updates to statefulset spec for fields other than/,
    },
  ),
  choice(
    "Refusals do not hold what Go prints of a comparison.",
    /causes\.spec(\.persistentvolumesource)?\[\d+\]$/,
    {
      ours: /is immutable after creation/,
      theirs: /is immutable after creation/,
    },
  ),
  version(
    "1.21: Services may be replaced without their version and address.",
    /\.(metadata\.resourceVersion|spec\.clusterIPs?)(\[\d+\])*$/,
    {
      theirs: /must be specified for an update|primary clusterIP can not be unset|Required value/,
    },
  ),
  version("1.21: addresses that a Service has are kept.", /^answer\.status$/, {
    ours: /^"200 /,
    theirs: /primary clusterIP can not be unset/,
  }),
  version("Changes of nodes are refused field by field.", /causes\.\[\]$/, {
    ours: NOTHING,
    theirs: /node updates may only change/,
  }),
  version(
    "1.27: StatefulSets are named as their pods are, as hosts.",
    /causes\.metadata\.name\[\d\]$/,
    {
      ours: /lowercase RFC 1123 label|no more than 63/,
      case: / StatefulSet /,
    },
  ),
  version(
    "1.27: volumes may move on to labels that became stable.",
    /causes\.nodeAffinity\[\d\]$/,
    {
      ours: /except for updating from beta label to GA/,
    },
  ),
  version("1.32: claims may shrink to what there is.", /requests\.storage\[\d\]$/),
  version("1.22: fields of CSIDriver are told one by one.", /causes\.spec(\.\w+)?$/, {
    kind: /^csidrivers?$/i,
  }),
  version("1.22: the path of a value.", /causes\.[vV]alue$/),
  version("1.21: apply takes references and selectors as one value.", /./, {
    ours: /^"422 .*(roleRef|scaleTargetRef|nodeSelectorTerms|defaultBackend|fieldRef|KeyRef|ownerReferences|persistentvolumesource)/,
    theirs: /^"200 /,
  }),
  version(
    "1.22: apply keeps the order of the configuration.",
    /\.(env|ports|volumes|volumeMounts|containers)\[\d+\]/,
    { reordered: true },
  ),
  version(
    "1.22: apply keeps the order of the configuration; a port without a number is one of its own.",
    /\.ports\[[12]\]\.(name|protocol)$/,
    { case: /^database StatefulSet store-db updated$/ },
  ),
  version(
    "1.21: apply takes references as one value, and forgets what is left out of them.",
    /\.(fieldRef\.fieldPath|resourceFieldRef\.divisor|(secretKeyRef|configMapKeyRef)\.key)$/,
    { ours: /^("0"|undefined)$/ },
  ),
  version(
    "1.22: apply keeps the order of the configuration, so that mistakes are found elsewhere in it.",
    /\.causes\..*\.(ports|volumes)\[\d+\]\.name$/,
  ),
  version("1.25: apply knows objects that hold an element twice.", /^answer\.status$/, {
    theirs: /duplicate entries for key/,
  }),
  version(
    "1.21, 1.28: what is one value, and what is filled in, counts for generations.",
    /^answer\.body\.metadata\.(.*\.template\.)?generation$/,
    {
      case: /(StatefulSet store-db|DaemonSet (edge|node-agent)|Deployment db-operator) updated$/,
      ours: /^"?2"?$/,
      theirs: /^"?1"?$/,
    },
  ),
  version(
    "1.21: apply takes references and selectors as one value.",
    /\.(nodeSelector|claimRef\.namespace)$/,
    {
      ours: NOTHING,
    },
  ),
  version("1.24: any object may be the source of a claim.", /causes\.spec\.dataSource/),
  version("1.24: both sources of a claim must say the same.", /causes\.spec\[\d\]$/, {
    ours: /must match dataSourceRef/,
  }),
  version("1.21: two controllers are told with their kinds.", /metadata\.ownerReferences\[\d\]$/, {
    ours: /Only one reference/,
  }),
  // What only members show that manifests do not have.
  choice(
    "Paths are spelled as the fields are.",
    /volumes\[\d+\]\.(downw\w+API|downwarAPI|cephf?F?[sS])$/,
  ),
  choice("A webhook that says nothing is still told of.", /\.conversion\.webhook$/, {
    ours: /^\{\}$/,
  }),
  choice("Times with microseconds may be told without them.", /^answer\.status$/, {
    theirs: /parsing time .* cannot parse/,
  }),
  choice(
    "A name that cannot be one is not looked for, but not found either.",
    /^answer\.body\.message$/,
    {
      theirs: /invalid resource name/,
    },
  ),
  version(
    "1.23, 1.25: volumes and containers that pods get later are there for all.",
    /^answer\.status$/,
    {
      ours: /\.(ephemeral|ephemeralContainers)(\[|:)/,
      theirs: /^"201 /,
    },
  ),
  version(
    "1.28: containers may run from before the others until their end.",
    /\.initContainers\[\d+\]\./,
    {
      case: ADDED,
    },
  ),
  version("1.24: nodes have no source of configuration.", /^answer\.body\.spec\.configSource$/, {
    ours: NOTHING,
  }),
  version(
    "1.24: nodes have no source of configuration.",
    /^answer\.(status|body\.status\.config)$/,
    {
      kind: /^(|nodes?)$/i,
      case: REPORTED,
    },
  ),
  version("1.29: only balancers of type LoadBalancer are told of.", /^answer\.status$/, {
    ours: /status\.loadBalancer\.ingress: FieldValueForbidden/,
    theirs: /^"200 /,
  }),
  version(
    "1.29: only balancers of type LoadBalancer are told of.",
    /causes\.status\.loadBalancer\.ingress/,
    {
      kind: /^services?$/i,
    },
  ),
  version(
    "1.20 knows two families of addresses, and ports that balancers do without, in alpha.",
    /^answer\.status$/,
    {
      ours: /spec\.(ipFamil|allocateLoadBalancerNodePorts)/,
      theirs: /^"201 /,
    },
  ),
  version("Ranges of balancers are judged one by one.", /\.LoadBalancerSourceRanges/),
  version(
    "Policies of traffic are judged by what they are for.",
    /causes\.spec\.(externalTrafficPolicy|healthCheckNodePort)/,
  ),
  version(
    "1.30: names of environment variables may hold any printable character.",
    /\.(env|envFrom)\[\d+\]\.(name|prefix)$/,
    {
      ours: NOTHING,
    },
  ),
  version("Policies of messages are a list by now.", /\.terminationMessagePolicy\[\d\]$/),
  version("1.23: names of kernel parameters may have slashes.", /\.sysctls\[\d+\]\.name/),
  version(
    "Secrets of volumes are named as objects are, and told where they stand.",
    /causes\.spec\.csi\.(name|\w+SecretRef)/,
  ),
  version(
    "The selectors of affinity are told where they stand.",
    /Execution\[\d+\]\.(matchExpressions\.match|labelSelector\.match)/,
    {
      case: ADDED,
    },
  ),
  version(
    "Selectors of pods that are spread are judged by now.",
    /topologySpreadConstraints\[\d+\]\.labelSelector/,
    {
      theirs: NOTHING,
    },
  ),
  version("Definitions are told how unknown fields are kept now.", /\.preserveUnknownFields/),
  version("Certificates are read with another message.", /causes\.status\.certificate/),
  version("A webhook without a host is told to name one.", /lientConfig\.url/, {
    ours: /host must be specified/,
  }),
  version("That usages or a signer are missing is told without more words.", REQUEST_PARTS, {
    ours: /Required value"$/,
  }),
  version("The formats of columns are listed in order.", /additionalPrinterColumns\[\d+\]\.format/),
  version(
    "Addresses of balancers are refused in the words for all addresses.",
    /\.ingress\[\d+\]\.ip\[\d\]$/,
    {
      ours: ADDRESS,
    },
  ),
  version(
    "Addresses that disagree are refused in other words.",
    /causes\.spec\.clusterIPs\[\d\]$/,
    {
      ours: /first value must match/,
    },
  ),
  version(
    "1.20 knows tokens for drivers in alpha.",
    /^answer\.(body\.spec\.tokenRequests|status)$/,
    {
      kind: /^(|csidrivers?)$/i,
    },
  ),
  version(
    "The quality of service of a pod does not change.",
    /^answer\.(status|body\.status\.qosClass)$/,
    {
      ours: /qosClass: |^"Burstable"$/,
      case: REPORTED,
    },
  ),
  version("No more pods of a job are ready than there are.", /causes\.status\.ready$/),
  choice(
    "What an autoscaler sees is told in its status, not in annotations too.",
    /metadata\.annotations$/,
    {
      kind: /^horizontalpodautoscalers?$/i,
      case: REPORTED,
    },
  ),
];

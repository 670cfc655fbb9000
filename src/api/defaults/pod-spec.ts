import { canonicalResourceQuantity } from "../../lib/quantity.ts";
import type {
  Container,
  ContainerPort,
  EphemeralContainer,
  HTTPGetAction,
  LifecycleHandler,
  PodSpec,
  PodTemplateSpec,
  Probe,
} from "../generated/types/core-v1.ts";
import { pullPolicyOf } from "./pull-policy.ts";
import { defaultVolume } from "./volumes.ts";

type ResourceList = { [name: string]: string };

/** Defaults of a template, wherever one stands. */
export function defaultPodTemplate(template: PodTemplateSpec): void {
  defaultPodSpec((template.spec ??= { containers: [] }));
}

/** Defaults that pods and pod templates share. */
export function defaultPodSpec(spec: PodSpec): void {
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  spec.restartPolicy ??= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  if (spec.terminationGracePeriodSeconds < 0) spec.terminationGracePeriodSeconds = 1;
  spec.dnsPolicy ??= "ClusterFirst";
  spec.securityContext ??= {};
  spec.schedulerName ??= "default-scheduler";
  defaultServiceAccount(spec);
  if (spec.overhead) roundAmounts(spec.overhead);
}

/** Both spellings say the same; the newer one wins. */
function defaultServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount;
  if (!name) return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

/** Defaults of pods only: a template must stay as its author wrote it. */
export function defaultPodOnly(spec: PodSpec): void {
  spec.enableServiceLinks ??= true;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    requestLimits(container);
    if (spec.hostNetwork) for (const port of container.ports ?? []) exposeOnHost(port);
  }
}

/** What has a limit and no request requests its limit. */
function requestLimits(container: Container): void {
  const resources = container.resources;
  if (!resources?.limits) return;
  const requests = (resources.requests ??= {});
  for (const [name, amount] of Object.entries(resources.limits)) requests[name] ??= amount;
}

function exposeOnHost(port: ContainerPort): void {
  port.hostPort ??= port.containerPort;
}

function defaultContainer(container: Container | EphemeralContainer): void {
  for (const port of container.ports ?? []) port.protocol ??= "TCP";
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ??= "v1";
    if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor ??= "0";
  }
  const resources = (container.resources ??= {});
  if (resources.limits) roundAmounts(resources.limits);
  if (resources.requests) roundAmounts(resources.requests);
  defaultProbe(container.livenessProbe);
  defaultProbe(container.readinessProbe);
  defaultProbe(container.startupProbe);
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
  container.terminationMessagePath ??= "/dev/termination-log";
  container.terminationMessagePolicy ??= "File";
  container.imagePullPolicy ??= pullPolicyOf(container.image ?? "");
}

function defaultProbe(probe: Probe | undefined): void {
  if (!probe) return;
  if (probe.httpGet) defaultHttpGet(probe.httpGet);
  if (probe.grpc) probe.grpc.service ??= "";
  probe.timeoutSeconds ??= 1;
  probe.periodSeconds ??= 10;
  probe.successThreshold ??= 1;
  probe.failureThreshold ??= 3;
}

function defaultHandler(handler: LifecycleHandler | undefined): void {
  if (handler?.httpGet) defaultHttpGet(handler.httpGet);
}

function defaultHttpGet(action: HTTPGetAction): void {
  action.path ??= "/";
  action.scheme ??= "HTTP";
}

/** Amounts finer than a thousandth are rounded up; only those end in "n" or "u". */
export function roundAmounts(amounts: ResourceList): void {
  for (const name in amounts) {
    const amount = amounts[name] ?? "";
    if (/[nu]$/.test(amount)) amounts[name] = canonicalResourceQuantity(amount);
  }
}

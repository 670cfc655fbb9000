import type { Job } from "../../api/generated/types/batch-v1.ts";
import type { Container, Pod } from "../../api/generated/types/core-v1.ts";
import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import { podFromTemplate } from "../pod-state.ts";
import { COMPLETION_INDEX, INDEX_FAILURES, INDEX_FORGIVEN } from "./job-indexes.ts";
import { TRACKING } from "./job-survey.ts";
import type { NewPod } from "./job-work.ts";

/** The server keeps so much of a name that it completes. */
const GENERATED_BASE_MAX = 58;

/** A pod of a job; an indexed one knows its index by label, annotation, host name and variable. */
export function jobPod(job: Job, of: NewPod & { owner: OwnerReference }): Pod {
  const name = job.metadata?.name ?? "";
  const { index, failures } = of;
  const pod = podFromTemplate(job.spec?.template, {
    namespace: job.metadata?.namespace ?? "",
    generateName: generateNameOf(name, index),
    owner: of.owner,
  });
  const finalizers = [...(pod.metadata?.finalizers ?? []), TRACKING];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const mark = { [COMPLETION_INDEX]: String(index) };
  const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`;
  const withIndex = (container: Container): Container => {
    const environment = container.env ?? [];
    if (environment.some((one) => one.name === "JOB_COMPLETION_INDEX")) return container;
    const variable = { name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef: { fieldPath } } };
    return { ...container, env: [...environment, variable] };
  };
  const spec = pod.spec ?? { containers: [] };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      finalizers,
      labels: { ...pod.metadata?.labels, ...mark },
      annotations: { ...pod.metadata?.annotations, ...mark, ...countsOf(failures) },
    },
    spec: {
      ...spec,
      hostname: `${name}-${index}`,
      containers: spec.containers.map(withIndex),
      ...(spec.initContainers ? { initContainers: spec.initContainers.map(withIndex) } : {}),
    },
  };
}

/** Long names give way to the index, which would be cut off otherwise. */
function generateNameOf(name: string, index: number | undefined): string {
  if (index === undefined) return `${name}-`;
  const suffix = `-${index}-`;
  return `${name.slice(0, GENERATED_BASE_MAX - suffix.length)}${suffix}`;
}

function countsOf(failures: NewPod["failures"]): Record<string, string> {
  if (!failures) return {};
  const { counted, forgiven } = failures;
  return {
    [INDEX_FAILURES]: String(counted),
    ...(forgiven > 0 ? { [INDEX_FORGIVEN]: String(forgiven) } : {}),
  };
}

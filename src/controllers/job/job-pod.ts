import type { Job } from "../../api/generated/types/batch-v1.ts";
import type { Container, Pod } from "../../api/generated/types/core-v1.ts";
import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import { podFromTemplate } from "../pod-state.ts";
import { COMPLETION_INDEX, TRACKING } from "./job-plan.ts";

/** A pod of a job; an indexed one knows its index by label, annotation, host name and variable. */
export function jobPod(job: Job, of: { owner: OwnerReference; index: number | undefined }): Pod {
  const name = job.metadata?.name ?? "";
  const { index } = of;
  const pod = podFromTemplate(job.spec?.template, {
    namespace: job.metadata?.namespace ?? "",
    generateName: index === undefined ? `${name}-` : `${name}-${index}-`,
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
      annotations: { ...pod.metadata?.annotations, ...mark },
    },
    spec: {
      ...spec,
      hostname: `${name}-${index}`,
      containers: spec.containers.map(withIndex),
      ...(spec.initContainers ? { initContainers: spec.initContainers.map(withIndex) } : {}),
    },
  };
}

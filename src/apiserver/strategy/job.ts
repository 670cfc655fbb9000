import { deepEqual } from "../../lib/deep-equal.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
import type { Strategy } from "./strategy.ts";

type Labels = Record<string, string>;

/** Labels that tie pods to their job, in the new and the old spelling. */
function jobLabels({ metadata }: KubeObject): Labels {
  const { uid = "", name = "" } = metadata;
  return {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "job-name": name,
  };
}

/** Without `manualSelector` the server makes a selector that no other job can share. */
function generateSelector(job: KubeObject): void {
  const spec = fieldOf(job, "spec");
  if (spec["manualSelector"] === true) return;
  const template = fieldOf(spec, "template");
  const metadata = fieldOf(template, "metadata");
  // What the author says is kept: the rules of jobs refuse it where it is not this job's.
  const labels = metadata["labels"] as Labels | undefined;
  metadata["labels"] = { ...jobLabels(job), ...labels };
  template["metadata"] = metadata;
  // A job without labels of its own got those of its template, and goes on to share them.
  if (deepEqual(labels, job.metadata.labels))
    job.metadata.labels = { ...jobLabels(job), ...labels };
  const selector = fieldOf(spec, "selector");
  const unique = { "batch.kubernetes.io/controller-uid": job.metadata.uid ?? "" };
  selector["matchLabels"] = { ...unique, ...(selector["matchLabels"] as Labels | undefined) };
  spec["selector"] = selector;
}

export const JOB: Partial<Strategy> = {
  generation: true,
  propagation: "Orphan",
  prepareCreate: (job) => {
    job["status"] = {};
    generateSelector(job);
  },
};

import type { Answer, CaseRequest } from "./case.ts";

/** Resources that 1.20 serves only in an earlier version of the same shape. */
const EARLIER: readonly { resource: string; group: string; ours: string; theirs: string }[] = [
  { resource: "cronjobs", group: "batch", ours: "v1", theirs: "v1beta1" },
  { resource: "poddisruptionbudgets", group: "policy", ours: "v1", theirs: "v1beta1" },
];
const KINDS = /"kind":"(CronJob|CronJobList|PodDisruptionBudget|PodDisruptionBudgetList)"/;

/** The same request in the version that 1.20 serves. */
export function toPeer(request: CaseRequest): CaseRequest {
  const entry = EARLIER.find(({ resource, group, ours }) =>
    new RegExp(`^/apis/${group}/${ours}/(.*/)?${resource}\\b`).test(request.path),
  );
  if (!entry) return request;
  const { group, ours, theirs } = entry;
  const path = request.path.replace(`/apis/${group}/${ours}/`, `/apis/${group}/${theirs}/`);
  const { body } = request;
  if (body === undefined) return { ...request, path };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { ...request, path, body: text.replaceAll(`${group}/${ours}`, `${group}/${theirs}`) };
}

/** The same answer in the version that we serve. */
export function fromPeer(answer: Answer | undefined): Answer | undefined {
  if (!answer) return undefined;
  const text = JSON.stringify(answer.body ?? null);
  if (!KINDS.test(text)) return answer;
  const body = EARLIER.reduce(
    (sofar, { group, ours, theirs }) => sofar.replaceAll(`${group}/${theirs}`, `${group}/${ours}`),
    text,
  );
  return { ...answer, body: JSON.parse(body) as unknown };
}

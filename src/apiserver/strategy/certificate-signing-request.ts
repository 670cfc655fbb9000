import type { CertificateSigningRequestCondition } from "../../api/generated/types/certificates-v1.ts";
import { copyJson } from "../../lib/json-copy.ts";
import { formatTime } from "../../lib/clock.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
import type { Strategy } from "./strategy.ts";

type Condition = CertificateSigningRequestCondition;
type Conditions = readonly Condition[];

const VERDICTS = ["Approved", "Denied"] as const;

function conditionsOf(request: KubeObject): Conditions {
  const { conditions } = fieldOf(request, "status");
  return Array.isArray(conditions) ? (conditions as Condition[]) : [];
}

/** Conditions of a type as they were, unless there are more or fewer of them. */
function withConditionsKept(now: Conditions, old: Conditions, type: string): Conditions {
  const kept = old.filter((condition) => condition.type === type);
  if (now.filter((condition) => condition.type === type).length !== kept.length) return now;
  return now.map((condition) =>
    condition.type === type ? (kept.shift() ?? condition) : condition,
  );
}

/** When a condition was written, and since when it says so, for clients that do not tell. */
function withTimes(condition: Condition, old: Conditions, now: string): Condition {
  const same = old.find(
    ({ type, status, lastTransitionTime }) =>
      type === condition.type && status === condition.status && lastTransitionTime,
  );
  return {
    ...condition,
    lastUpdateTime: condition.lastUpdateTime || now,
    lastTransitionTime: condition.lastTransitionTime || (same?.lastTransitionTime ?? now),
  };
}

/** Who asks is recorded by the server, whoever they say they are; what was asked for stays. */
export const CERTIFICATE_SIGNING_REQUEST: Partial<Strategy> = {
  prepareCreate: (request, { user }) => {
    const { uid: _uid, extra: _extra, ...asked } = fieldOf(request, "spec");
    request["spec"] = {
      ...asked,
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: [...user.groups],
      ...(user.extra ? { extra: copyJson(user.extra) } : {}),
    };
    request["status"] = {};
  },
  prepareUpdate: (request, old) => {
    request["spec"] = copyJson(old["spec"]);
  },
  prepareStatus: (request, old, { nowMs, subresource }) => {
    const before = conditionsOf(old);
    let conditions = conditionsOf(request);
    if (subresource === "status") {
      for (const type of VERDICTS) conditions = withConditionsKept(conditions, before, type);
    }
    if (conditions.length === 0) return;
    const timed = conditions.map((condition) => withTimes(condition, before, formatTime(nowMs)));
    request["status"] = { ...fieldOf(request, "status"), conditions: timed };
  },
};

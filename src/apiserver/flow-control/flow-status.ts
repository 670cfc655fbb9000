import { isNotFound } from "../../api/errors.ts";
import { formatTime } from "../../lib/clock.ts";
import { copyJson } from "../../lib/json-copy.ts";
import type { UserInfo } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { fieldOf, type KubeObject, textOf } from "../kube-object.ts";
import { splitPath } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { Call } from "../rest/call.ts";
import { updateObject } from "../rest/update.ts";

const SELF: UserInfo = { name: "system:apiserver", groups: ["system:masters"] };
const GROUP = "flowcontrol.apiserver.k8s.io";

type Condition = Record<string, unknown>;

/** Keeps the condition `Dangling` of FlowSchemas true: whether their priority level exists. */
export function followFlowSchemas(engine: Engine): Disposable {
  const schemas = engine.registry.find(GROUP, "v1", "flowschemas");
  const levels = engine.registry.find(GROUP, "v1", "prioritylevelconfigurations");
  if (!schemas || !levels) throw new RangeError("Cannot share the server out: no flow schemas");
  let work = Promise.resolve();
  let closed = false;
  const check = (name: string) => {
    work = work
      .then(() => (closed ? undefined : report(engine, name, { schemas, levels })))
      .catch((error: unknown) => {
        if (!closed) engine.logger.error("a flow schema could not be checked", { name, error });
      });
  };
  const checkAll = () => {
    for (const name of schemas.cache.keys("")) check(name);
  };
  const ended = () => {};
  const subscriptions = [
    schemas.cache.follow({ deliver: ({ key, removed }) => void (removed || check(key)), ended }),
    levels.cache.follow({ deliver: checkAll, ended }),
  ];
  checkAll();
  return {
    [Symbol.dispose]: () => {
      closed = true;
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
    },
  };
}

async function report(
  engine: Engine,
  name: string,
  { schemas, levels }: { schemas: ServedResource; levels: ServedResource },
): Promise<void> {
  const schema = schemas.cache.get(name)?.object();
  if (!schema) return;
  const level = textOf(fieldOf(fieldOf(schema, "spec"), "priorityLevelConfiguration")["name"]);
  const found = levels.cache.get(level) !== undefined;
  const what = `This FlowSchema references the PriorityLevelConfiguration object named "${level}"`;
  const wanted = {
    type: "Dangling",
    status: found ? "False" : "True",
    reason: found ? "Found" : "NotFound",
    message: found ? `${what} and it exists` : `${what} but there is no such object`,
  };
  const known = danglingOf(schema);
  const isKnown = (["status", "reason", "message"] as const).every(
    (field) => known?.[field] === wanted[field],
  );
  if (isKnown) return;
  const lastTransitionTime = formatTime(engine.clock.now());
  try {
    await updateObject(engine, statusCall(schemas, name), {
      wanted: (old) => {
        const next = copyJson(old);
        const others = conditionsOf(next).filter(({ type }) => type !== "Dangling");
        next["status"] = { conditions: [...others, { ...wanted, lastTransitionTime }] };
        return next;
      },
      scope: (object) => object,
    });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function conditionsOf(schema: KubeObject): Condition[] {
  const { conditions } = fieldOf(schema, "status");
  return Array.isArray(conditions) ? (conditions as Condition[]) : [];
}

function danglingOf(schema: KubeObject): Condition | undefined {
  return conditionsOf(schema).find(({ type }) => type === "Dangling");
}

function statusCall(served: ServedResource, name: string): Call {
  const { group, version, plural } = served.resource;
  return {
    method: "PUT",
    served,
    target: { group, version, resource: plural, name, subresource: "status", watch: false },
    query: splitPath("").query,
    user: SELF,
    body: { kind: "none" },
    userAgent: "api-priority-and-fairness-config-consumer-v1",
    warn: () => {},
  };
}

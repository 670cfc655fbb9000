import type { ComponentCheck } from "../contract.ts";
import { notFound } from "../../api/errors.ts";
import type { ComponentStatus } from "../../api/generated/types/core-v1.ts";
import type { Engine } from "../engine.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import type { Answer, Call } from "./call.ts";
import { selectionOf } from "./selection-of.ts";

/** GET of componentstatuses: nothing is stored, each component is asked now. */
export async function readComponentStatuses(engine: Engine, call: Call): Promise<Answer> {
  const { served, target } = call;
  call.warn("v1 ComponentStatus is deprecated in v1.19+");
  const { name } = target;
  const asked = engine.components.filter(
    (component) => name === undefined || component.name === name,
  );
  const objects = await Promise.all(
    asked.map(async (component) => {
      const bytes = Buffer.from(JSON.stringify(await statusOf(component)));
      return new CachedObject(component.name, served.cache.revision, bytes);
    }),
  );
  if (name === undefined) {
    const selection = selectionOf(call);
    const items = objects.filter(
      (object) => selection.coversKey(object.key) && selection.matches(object),
    );
    return { kind: "list", status: 200, served, list: { items, revision: served.cache.revision } };
  }
  const [object] = objects;
  if (!object) throw notFound(served.resource, name);
  return { kind: "object", status: 200, served, object };
}

async function statusOf({ name, check }: ComponentCheck): Promise<ComponentStatus> {
  const problem = await check();
  const condition =
    problem === undefined
      ? { type: "Healthy", status: "True", message: "ok" }
      : { type: "Healthy", status: "False", message: problem, error: problem };
  return {
    kind: "ComponentStatus",
    apiVersion: "v1",
    metadata: { name },
    conditions: [condition],
  };
}

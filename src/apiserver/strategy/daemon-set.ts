import { TEMPLATE_GENERATION } from "../../api/defaults/apps.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
import type { Strategy } from "./strategy.ts";

function templateGenerationOf({ metadata }: KubeObject): number {
  return Number.parseInt(metadata.annotations?.[TEMPLATE_GENERATION] ?? "0", 10) || 0;
}

function setTemplateGeneration({ metadata }: KubeObject, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: `${generation}` };
}

/** The generation of its template is the server's, and is kept as an annotation for old clients. */
export const DAEMON_SET: Partial<Strategy> = {
  generation: true,
  prepareCreate: (set) => {
    set["status"] = {
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
    };
    setTemplateGeneration(set, Math.max(templateGenerationOf(set), 1));
  },
  prepareUpdate: (set, old) => {
    const [now, before] = [set, old].map((each) => fieldOf(each, "spec")["template"]);
    const step = deepEqual(now, before) ? 0 : 1;
    setTemplateGeneration(set, templateGenerationOf(old) + step);
  },
  prepareStatus: (set, old) => setTemplateGeneration(set, templateGenerationOf(old)),
};

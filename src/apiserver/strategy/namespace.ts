import { copyJson } from "../../lib/json-copy.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
import type { Strategy } from "./strategy.ts";

function finalizersOf(namespace: KubeObject): unknown[] {
  const { finalizers } = fieldOf(namespace, "spec");
  return Array.isArray(finalizers) ? finalizers : [];
}

function labelWithName({ metadata }: KubeObject): void {
  const name = metadata.name ?? "";
  metadata.labels = { ...metadata.labels, "kubernetes.io/metadata.name": name };
}

/** The `kubernetes` finalizer of its spec keeps a namespace until its content is gone. */
export const NAMESPACE: Partial<Strategy> = {
  returnsDeleted: true,
  prepareCreate: (namespace) => {
    const asked = finalizersOf(namespace);
    const finalizers = asked.includes("kubernetes") ? asked : [...asked, "kubernetes"];
    namespace["spec"] = { finalizers };
    namespace["status"] = { phase: "Active" };
    labelWithName(namespace);
  },
  prepareUpdate: (namespace, old) => {
    namespace["spec"] = copyJson(old["spec"] ?? {});
    labelWithName(namespace);
  },
  holdsBack: (namespace) => finalizersOf(namespace).length > 0,
  prepareDelete: (namespace) => {
    delete namespace.metadata.deletionGracePeriodSeconds;
    namespace["status"] = { ...fieldOf(namespace, "status"), phase: "Terminating" };
  },
};

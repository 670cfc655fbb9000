import { isAlreadyExists, isNotFound } from "../../api/errors.ts";
import { CONFIG_MAPS, NAMESPACES } from "../../api/generated/resources.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { jsonEqual } from "../json-equal.ts";
import { isTerminating, refOf } from "../ownership.ts";

const NAME = "kube-root-ca.crt";
const DESCRIPTION = "kubernetes.io/description";

/** Publishes the cluster's CA in every namespace, so that pods can verify the API server. */
export function rootCaController(options: { caPem: string }): ControllerDefinition {
  const data = { "ca.crt": options.caPem };
  return defineController({
    name: "root-ca",
    inputs: {
      namespaces: input(NAMESPACES, (namespace) => [refOf(namespace)]),
      configMaps: input(CONFIG_MAPS, ({ metadata }) => [{ name: metadata?.namespace ?? "" }], {
        options: { fieldSelector: `metadata.name=${NAME}` },
      }),
    },
    outputs: [{ resource: CONFIG_MAPS, verbs: ["create", "update"] }],
    async reconcile({ inputs, client }, { name: namespace }) {
      const parent = inputs.namespaces.get(undefined, namespace);
      if (!parent || isTerminating(parent)) return;
      const stored = inputs.configMaps.get(namespace, NAME);
      if (stored) {
        if (jsonEqual(stored.data, data)) return;
        await client.for(CONFIG_MAPS).update({ ...stored, data });
        return;
      }
      const annotations = {
        [DESCRIPTION]: "CA certificates to verify this cluster's API server with, from inside.",
      };
      const metadata = { name: NAME, namespace, annotations };
      await client
        .for(CONFIG_MAPS)
        .create({ apiVersion: "v1", kind: "ConfigMap", metadata, data })
        .catch((error: unknown) => {
          if (!isAlreadyExists(error) && !isNotFound(error)) throw error;
        });
    },
  });
}

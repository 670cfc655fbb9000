import { NODES, PERSISTENT_VOLUMES, VOLUME_ATTACHMENTS } from "../../api/generated/resources.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { jsonEqual } from "../json-equal.ts";
import { isTerminating, refOf } from "../ownership.ts";
import { attachedVolumeName } from "./attachment-plan.ts";

const BY_NODE = "node";

/** Tells nodes in their status which volumes are attached to them; they mount no others. */
export function volumesAttachedController(): ControllerDefinition {
  return defineController({
    name: "volumes-attached",
    inputs: {
      nodes: input(NODES, (node) => [refOf(node)]),
      attachments: input(VOLUME_ATTACHMENTS, ({ spec }) => [{ name: spec.nodeName }], {
        indexes: { [BY_NODE]: ({ spec }) => [spec.nodeName] },
      }),
      volumes: input(PERSISTENT_VOLUMES, () => []),
    },
    outputs: [{ resource: NODES, verbs: ["patch"], subresources: ["status"] }],
    async reconcile({ inputs, client }, key) {
      const node = inputs.nodes.get(undefined, key.name);
      if (!node) return;
      const volumesAttached = inputs.attachments
        .byIndex(BY_NODE, key.name)
        // What is about to be detached must not be mounted any more.
        .filter((one) => one.status?.attached && !isTerminating(one))
        .flatMap(({ spec, status }) => {
          const volume = inputs.volumes.get(undefined, spec.source.persistentVolumeName ?? "");
          const devicePath = status?.attachmentMetadata?.["devicePath"] ?? "";
          return volume?.spec?.csi ? [{ name: attachedVolumeName(volume), devicePath }] : [];
        })
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
      if (jsonEqual(node.status?.volumesAttached ?? [], volumesAttached)) return;
      await client
        .for(NODES)
        .patch(key, { status: { volumesAttached } }, { subresource: "status" });
    },
  });
}

import { forbidden, notFound, StatusError } from "../../api/errors.ts";
import { NAMESPACES } from "../../api/generated/resources.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "../contract.ts";

const IMMORTAL = new Set(["default", "kube-system", "kube-public"]);

function isNamespace({ resource }: AdmissionRequest): boolean {
  return resource.group === "" && resource.plural === "namespaces";
}

/** Objects live in namespaces that exist and stay; some namespaces can never be deleted. */
export function namespaceLifecyclePlugin(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "NamespaceLifecycle",
    handles: (request) =>
      isNamespace(request)
        ? request.operation === "DELETE"
        : request.namespace !== undefined &&
          (request.operation === "CREATE" || request.operation === "UPDATE"),
    mutate: (request) => {
      const { namespace: name, operation, resource } = request;
      if (isNamespace(request) || !name) return;
      const namespace = reader.get(NAMESPACES, { name });
      if (!namespace) throw notFound(NAMESPACES, name);
      const terminating =
        namespace.status?.phase === "Terminating" || namespace.metadata?.deletionTimestamp;
      if (operation !== "CREATE" || !terminating) return;
      const refusal = forbidden(
        resource,
        request.name,
        `unable to create new content in namespace ${name} because it is being terminated`,
      );
      throw new StatusError("Forbidden", refusal.message, {
        subject: { group: resource.group, kind: resource.plural, name: request.name },
        causes: [
          {
            reason: "NamespaceTerminating",
            message: `namespace ${name} is being terminated`,
            field: "metadata.namespace",
          },
        ],
      });
    },
    validate: (request) => {
      if (isNamespace(request) && IMMORTAL.has(request.name)) {
        throw forbidden(request.resource, request.name, "this namespace may not be deleted");
      }
    },
  };
}

import { dns1035LabelErrors, dns1123SubdomainErrors } from "../../../lib/names.ts";
import type { CustomResourceDefinition } from "../../generated/types/apiextensions-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

export const CUSTOM_RESOURCE_DEFINITION: KindRules<CustomResourceDefinition> = {
  validate(errors, { spec, metadata }) {
    if (!spec) return errors.required("spec");
    const { group, names, scope } = spec;
    if (errors.present("spec.group", group)) {
      errors.complaints("spec.group", group, dns1123SubdomainErrors(group));
      if (!group.includes(".")) {
        errors.invalid("spec.group", group, "should be a domain with at least one dot");
      }
    }
    if (metadata?.name !== `${names?.plural}.${group}`) {
      const detail = 'must be spec.names.plural+"."+spec.group';
      errors.invalid("metadata.name", metadata?.name, detail);
    }
    if (errors.present("spec.scope", scope)) {
      errors.oneOf("spec.scope", scope, ["Cluster", "Namespaced"]);
    }
    if (errors.present("spec.names.plural", names?.plural)) {
      errors.complaints("spec.names.plural", names.plural, dns1035LabelErrors(names.plural));
    }
    if (errors.present("spec.names.kind", names?.kind)) {
      const complaints = dns1035LabelErrors(names.kind.toLowerCase());
      errors.complaints("spec.names.kind", names.kind, complaints);
      if (names.listKind === names.kind) {
        const detail = "kind and listKind may not be the same";
        errors.invalid("spec.names.listKind", names.listKind, detail);
      }
    }
    validateVersions(errors, spec.versions ?? []);
  },
  validateUpdate(errors, { spec }, old) {
    const established = old.status?.conditions?.some(
      ({ type, status }) => type === "Established" && status === "True",
    );
    validateImmutable(errors, "spec.group", { now: spec?.group, old: old.spec?.group });
    const plural = { now: spec?.names?.plural, old: old.spec?.names?.plural };
    validateImmutable(errors, "spec.names.plural", plural);
    if (!established) return;
    validateImmutable(errors, "spec.scope", { now: spec?.scope, old: old.spec?.scope });
    const kind = { now: spec?.names?.kind, old: old.spec?.names?.kind };
    validateImmutable(errors, "spec.names.kind", kind);
  },
};

type Versions = NonNullable<CustomResourceDefinition["spec"]>["versions"];

function validateVersions(errors: FieldErrors, versions: Versions): void {
  const names = new Set<string>();
  for (const [index, { name, schema }] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    errors.complaints(`${path}.name`, name, dns1035LabelErrors(name ?? ""));
    if (names.has(name)) {
      errors.invalid("spec.versions", versions, "must contain unique version names");
    }
    names.add(name);
    if (!schema?.openAPIV3Schema) {
      errors.required(`${path}.schema.openAPIV3Schema`, "schemas are required");
    }
  }
  const stored = versions.filter(({ storage }) => storage).length;
  if (stored !== 1) {
    const detail = "must have exactly one version marked as storage version";
    errors.invalid(
      "spec.versions",
      versions.map(({ name }) => name),
      detail,
    );
  }
}

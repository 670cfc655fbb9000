import { createKubernetesEnvironment } from "../../lib/cel/kubernetes-environment.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { dns1035LabelErrors } from "../../lib/names.ts";
import { fieldPathOf } from "../custom-resource/field-path.ts";
import { validateDefaults } from "../custom-resource/default-validation.ts";
import { RuleCosts } from "../custom-resource/rule-costs.ts";
import { validateRuleExpressions, validateRuleForms } from "../custom-resource/rule-validation.ts";
import { type SchemaPlace, validateSchema } from "../custom-resource/schema-validation.ts";
import { validateStructural } from "../custom-resource/structural-schema.ts";
import { storedExpressions } from "../policy/stored-expressions.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
} from "../generated/types/apiextensions-v1.ts";
import { FieldErrors } from "./field-errors.ts";

const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = "byte,date,date-time,double,float,int32,int64,password".split(",");
const SELECTABLE_MAX = 8;
const WARNING_LENGTH_MAX = 256;
const PRESERVE = ".x-kubernetes-preserve-unknown-fields";

/** What stays of a root schema when the status is validated on its own. */
const ROOT_KEYWORDS: ReadonlySet<string> = new Set([
  ..."description type format title maximum exclusiveMaximum minimum exclusiveMinimum".split(" "),
  ..."maxLength minLength pattern maxItems minItems uniqueItems multipleOf required".split(" "),
  ..."items properties externalDocs example".split(" "),
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-validations",
]);
const ROOT_KEYWORDS_TEXT =
  "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength " +
  "MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties " +
  "ExternalDocs Example XPreserveUnknownFields XValidations]";

/** Names, schemas, subresources and columns of all versions. */
export function validateDefinitionVersions(
  errors: FieldErrors,
  spec: CustomResourceDefinitionSpec,
  old: CustomResourceDefinitionSpec | undefined,
): void {
  const versions = spec.versions ?? [];
  const names = versions.map(({ name }) => name);
  for (const [at, { name }] of versions.entries()) {
    const complaints = dns1035LabelErrors(name ?? "");
    errors.complaints(`spec.versions[${at}].name`, name, complaints);
    // The first version is the one of definitions that knew no others.
    if (at === 0 && name) errors.complaints("spec.version", name, complaints);
  }
  if (new Set(names).size < names.length) {
    errors.invalid("spec.versions", names, "must contain unique version names");
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const why = "must have exactly one version marked as storage version";
    errors.invalid("spec.versions", names, why);
  }
  const hasStatus = versions.some(({ subresources }) => subresources?.status);
  for (const [at, version] of versions.entries()) {
    validateWarning(errors, `spec.versions[${at}]`, version);
    validateVersion(errors, { version, at, versions, hasStatus, old });
  }
}

/** Upstream keeps what all versions share once, and complains about it there. */
function placeOf(
  of: { versions: readonly CustomResourceDefinitionVersion[]; at: number },
  part: "schema" | "subresources" | "additionalPrinterColumns" | "selectableFields",
): string | undefined {
  const { versions, at } = of;
  const [first] = versions;
  const shared = versions.every((version) => {
    return version[part] !== undefined && deepEqual(version[part], first?.[part]);
  });
  if (!shared) return `spec.versions[${at}].${part}`;
  if (at > 0) return undefined;
  return part === "schema" ? "spec.validation" : `spec.${part}`;
}

function validateVersion(
  errors: FieldErrors,
  of: {
    version: CustomResourceDefinitionVersion;
    at: number;
    versions: readonly CustomResourceDefinitionVersion[];
    hasStatus: boolean;
    old: CustomResourceDefinitionSpec | undefined;
  },
): void {
  const { version, at, hasStatus, old } = of;
  const schema = version.schema?.openAPIV3Schema;
  const before = old?.versions?.find(({ name }) => name === version.name);
  const schemaPlace = placeOf(of, "schema");
  // A schema that was accepted once stays, whatever is thought of it now.
  const known = before && deepEqual(schema, before.schema?.openAPIV3Schema);
  if (!schema) {
    errors.required(`spec.versions[${at}].schema.openAPIV3Schema`, "schemas are required");
  } else if (schemaPlace !== undefined && !known) {
    const ofVersion = schemaPlace.startsWith("spec.versions");
    const withStatus = ofVersion ? version.subresources?.status !== undefined : hasStatus;
    const rootSchema = { schema, hasStatus: withStatus, old };
    validateRootSchema(errors, `${schemaPlace}.openAPIV3Schema`, rootSchema);
  }
  const subresources = placeOf(of, "subresources");
  if (version.subresources && subresources !== undefined) {
    validateSubresources(errors, subresources, version.subresources);
  }
  const columns = placeOf(of, "additionalPrinterColumns");
  if (columns !== undefined) {
    for (const [index, column] of (version.additionalPrinterColumns ?? []).entries()) {
      validateColumn(errors, `${columns}[${index}]`, column);
    }
  }
  const selectable = placeOf(of, "selectableFields");
  if (selectable === "spec.selectableFields" && schemaPlace !== "spec.validation") {
    const why = "selectableFields may only be set when validations.schema is included";
    errors.invalid(selectable, "", why);
  } else if (schema && selectable) validateSelectable(errors, selectable, version);
}

function validateRootSchema(
  errors: FieldErrors,
  field: string,
  of: {
    schema: JSONSchemaProps;
    hasStatus: boolean;
    old: CustomResourceDefinitionSpec | undefined;
  },
): void {
  const { schema, hasStatus, old } = of;
  if (hasStatus) validateStatusRoot(errors, field, schema);
  if (schema.nullable) errors.forbidden(`${field}.nullable`, "nullable cannot be true at the root");
  const structure = new FieldErrors();
  validateStructural(structure, field, schema);
  structure.causes.sort((a, b) => ((a.field ?? "") < (b.field ?? "") ? -1 : 1));
  if (structure.causes.length === 0) validateDefaults(structure, field, schema);
  const structural = structure.causes.length === 0;
  const others = new FieldErrors();
  const pending: [string, JSONSchemaProps, SchemaPlace][] = [];
  const place = {
    isRoot: true,
    inMeta: false,
    noDefaults: undefined,
    uncorrelatable: undefined,
    valuesMax: 1,
  };
  validateSchema(others, field, {
    schema,
    place,
    visit: (at, each, eachPlace) => {
      const rules = each["x-kubernetes-validations"];
      if (!rules?.length) return;
      validateRuleForms(others, at, each);
      pending.push([at, each, eachPlace]);
    },
  });
  // What says nothing of unknown fields, and yet something, has no structure to judge.
  const judged = !others.causes.some(({ field }) => field?.endsWith(PRESERVE));
  errors.causes.push(...(judged ? structure.causes : []), ...others.causes);
  // Expressions rely on a schema that is right.
  if (!structural || others.causes.length > 0 || pending.length === 0) return;
  const base = createKubernetesEnvironment();
  const stored = storedExpressions(old);
  const costs = new RuleCosts(errors);
  for (const [at, each, eachPlace] of pending) {
    validateRuleExpressions(errors, at, { schema: each, place: eachPlace, base, stored, costs });
  }
  costs.total(field);
}

function validateStatusRoot(errors: FieldErrors, field: string, schema: JSONSchemaProps): void {
  const { type } = schema;
  const where = "at the root of the schema if the status subresource is enabled";
  if (type !== undefined && type !== "object") {
    errors.invalid(`${field}.type`, type, `only "object" is allowed as the type ${where}`);
  }
  const set = Object.entries(schema).filter(([, value]) => value !== undefined && value !== false);
  if (set.some(([keyword]) => !ROOT_KEYWORDS.has(keyword))) {
    errors.invalid(field, schema, `only ${ROOT_KEYWORDS_TEXT} fields are allowed ${where}`);
  }
}

function validateWarning(
  errors: FieldErrors,
  field: string,
  { deprecated, deprecationWarning }: CustomResourceDefinitionVersion,
): void {
  if (deprecationWarning === undefined) return;
  const refuse = (why: string) =>
    errors.invalid(`${field}.deprecationWarning`, deprecationWarning, why);
  if (!deprecated) return refuse("can only be set for deprecated versions");
  if (Buffer.byteLength(deprecationWarning) > WARNING_LENGTH_MAX) {
    refuse(`must be <= ${WARNING_LENGTH_MAX} characters long`);
  }
  if (deprecationWarning === "") refuse("must not be an empty string");
  const odd = /(?! )[\p{C}\p{Z}]/u.exec(deprecationWarning)?.index;
  if (odd === undefined) return;
  const index = Buffer.byteLength(deprecationWarning.slice(0, odd));
  const why = "must only contain printable UTF-8 characters; non-printable character found at";
  refuse(`${why} index ${index}`);
}

function validateSubresources(
  errors: FieldErrors,
  field: string,
  { scale }: CustomResourceSubresources,
): void {
  if (!scale) return;
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;
  const path = (name: string, value: string | undefined, [roots, where]: [string[], string]) => {
    const place = `${field}.scale.${name}`;
    if (!value) errors.required(place);
    else if (!value.startsWith(".")) {
      errors.invalid(place, value, "must be a simple json path starting with .");
    } else if (!roots.some((root) => value.startsWith(`.${root}.`))) {
      errors.invalid(place, value, `should be a json path under ${where}`);
    }
  };
  path("specReplicasPath", specReplicasPath, [["spec"], ".spec"]);
  path("statusReplicasPath", statusReplicasPath, [["status"], ".status"]);
  if (labelSelectorPath) {
    const roots: [string[], string] = [["spec", "status"], "either .spec or .status"];
    path("labelSelectorPath", labelSelectorPath, roots);
  }
}

function validateColumn(
  errors: FieldErrors,
  field: string,
  { name, type, format, jsonPath }: CustomResourceColumnDefinition,
): void {
  errors.present(`${field}.name`, name);
  const oneOfTypes = `must be one of ${COLUMN_TYPES.join(",")}`;
  if (!type) errors.required(`${field}.type`, oneOfTypes);
  else if (!COLUMN_TYPES.includes(type)) errors.invalid(`${field}.type`, type, oneOfTypes);
  if (format && !COLUMN_FORMATS.includes(format)) {
    errors.invalid(`${field}.format`, format, `must be one of ${COLUMN_FORMATS.join(",")}`);
  }
  if (!jsonPath) errors.required(`${field}.JSONPath`);
  else if (!jsonPath.startsWith(".")) {
    errors.invalid(`${field}.JSONPath`, jsonPath, "must be a simple json path starting with .");
  }
}

function validateSelectable(
  errors: FieldErrors,
  field: string,
  { selectableFields = [], schema }: CustomResourceDefinitionVersion,
): void {
  const known = new Set<string>();
  for (const [at, { jsonPath }] of selectableFields.entries()) {
    const place = `${field}[${at}].jsonPath`;
    if (!errors.present(place, jsonPath)) continue;
    const root = schema?.openAPIV3Schema;
    const found = !jsonPath.includes("[") && root ? fieldPathOf(jsonPath, root) : undefined;
    if (!found) {
      const why = jsonPath.includes("[")
        ? "array notation is not allowed"
        : "does not refer to a valid field";
      errors.invalid(place, jsonPath, `is an invalid path: ${why}`);
      continue;
    }
    if (found.path.startsWith("metadata")) {
      errors.invalid(place, jsonPath, "must not point to fields in metadata");
    }
    if (!/^(string|boolean|integer)$/.test(found.schema.type ?? "")) {
      const why =
        "must point to a field of type string, boolean or integer. Enum string fields and " +
        "strings with formats are allowed.";
      errors.invalid(place, jsonPath, why);
    }
    if (known.has(found.path)) errors.duplicate(place, jsonPath);
    known.add(found.path);
  }
  if (known.size > SELECTABLE_MAX) errors.tooMany(field, known.size, SELECTABLE_MAX);
}

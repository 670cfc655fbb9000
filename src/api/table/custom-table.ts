import { evaluateJsonPath, parseJsonPath } from "../../lib/json-path.ts";
import type { CustomResourceColumnDefinition } from "../generated/types/apiextensions-v1.ts";
import type { ObjectMeta } from "../generated/types/meta-v1.ts";
import {
  type Cell,
  type CellContext,
  columnsOf,
  nameOf,
  since,
  type TableColumn,
  type TableKind,
} from "./table-kind.ts";

const AGE: CustomResourceColumnDefinition = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
};

/**
 * The table of a custom resource: its name and the columns its definition asks for, or its age.
 * Make it once for a definition: paths are parsed here. @throws JsonPathError
 */
export function customTable(
  definitions: readonly CustomResourceColumnDefinition[] = [],
): TableKind<never> {
  const wanted = definitions.length > 0 ? definitions : [AGE];
  const columns = wanted.map((definition) => ({
    definition,
    path: parseJsonPath(definition.jsonPath),
  }));
  const table: TableKind<{ metadata?: ObjectMeta }> = {
    columns: [...columnsOf("Name"), ...wanted.map(columnOf)],
    cells: (object, context) => [
      nameOf(object),
      ...columns.map(({ definition, path }) =>
        cellOf(definition.type, evaluateJsonPath(path, object), context),
      ),
    ],
  };
  return table;
}

function columnOf(definition: CustomResourceColumnDefinition): TableColumn {
  const { name, type, format = "", description = "", priority = 0 } = definition;
  return { name, type: type as TableColumn["type"], format, description, priority };
}

/** `null` for what the object lacks or what has another type than the column. */
function cellOf(type: string, values: readonly unknown[], context: CellContext): Cell | null {
  const [first] = values;
  if (first === undefined || first === null) return null;
  switch (type) {
    case "integer":
      return typeof first === "number" ? Math.trunc(first) : null;
    case "number":
      return typeof first === "number" ? first : null;
    case "boolean":
      return typeof first === "boolean" ? first : null;
    case "date":
      return typeof first === "string" ? since(first, context) : "<invalid>";
    default:
      return values
        .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
        .join(" ");
  }
}

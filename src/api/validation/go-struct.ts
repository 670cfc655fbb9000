import { formatQuantity, parseQuantity } from "../../lib/quantity.ts";
import { GoText, goIntOrString, goStrings } from "./go-text.ts";

export type GoStructName =
  | "apps.DaemonSetUpdateStrategy"
  | "apps.DeploymentStrategy"
  | "apps.RollingUpdateStatefulSetStrategy"
  | "apps.StatefulSetUpdateStrategy"
  | "batch.SuccessPolicy"
  | "batch.SuccessPolicyRule"
  | "core.HostIP"
  | "core.NodeSelectorRequirement"
  | "core.NodeSelectorTerm"
  | "core.PodIP"
  | "core.SeccompProfile"
  | "core.ServicePort"
  | "core.Taint"
  | "core.Toleration"
  | "storage.CSINodeDriver";

/**
 * Structures as refusals of the Kubernetes API print them: their members in the order of
 * declaration, each with its type. A type in a member's place is another structure of this table.
 */
const STRUCTS: Readonly<Record<GoStructName, readonly string[]>> = {
  "apps.DaemonSetUpdateStrategy": ["Type string", "RollingUpdate *apps.RollingUpdateDaemonSet"],
  "apps.DeploymentStrategy": ["Type string", "RollingUpdate *apps.RollingUpdateDeployment"],
  "apps.RollingUpdateStatefulSetStrategy": [
    "Partition int32",
    "MaxUnavailable *intstr.IntOrString",
  ],
  "apps.StatefulSetUpdateStrategy": [
    "Type string",
    "RollingUpdate *apps.RollingUpdateStatefulSetStrategy",
  ],
  "batch.SuccessPolicy": ["Rules []batch.SuccessPolicyRule"],
  "batch.SuccessPolicyRule": ["SucceededIndexes *string", "SucceededCount *int32"],
  "core.HostIP": ["IP string"],
  "core.NodeSelectorRequirement": ["Key string", "Operator string", "Values []string"],
  "core.NodeSelectorTerm": [
    "MatchExpressions []core.NodeSelectorRequirement",
    "MatchFields []core.NodeSelectorRequirement",
  ],
  "core.PodIP": ["IP string"],
  "core.SeccompProfile": ["Type string", "LocalhostProfile *string"],
  "core.ServicePort": [
    "Name string",
    "Protocol string",
    "AppProtocol *string",
    "Port int32",
    "TargetPort intstr.IntOrString",
    "NodePort int32",
  ],
  "core.Taint": ["Key string", "Value string", "Effect string", "TimeAdded *v1.Time"],
  "core.Toleration": [
    "Key string",
    "Operator string",
    "Value string",
    "Effect string",
    "TolerationSeconds *int64",
  ],
  "storage.CSINodeDriver": [
    "Name string",
    "NodeID string",
    "TopologyKeys []string",
    "Allocatable *storage.VolumeNodeResources",
  ],
};

/** `core.PodIP{IP:"192.0.2.7"}`. */
export function goStruct(name: GoStructName, value: object | undefined): GoText {
  return new GoText(structText(name, value ?? {}));
}

/** `[]core.PodIP{core.PodIP{IP:"192.0.2.7"}}`. */
export function goStructs(name: GoStructName, list: readonly object[] | undefined): GoText {
  return new GoText(typed(`[]${name}`, list));
}

/** `[]int32{1, 2}`. */
export function goNumbers(list: readonly number[] | undefined): GoText {
  return new GoText(typed("[]int32", list));
}

/** A quantity by its parts; those beyond 2^63 nanos are shown as text. */
export function goQuantity(text: string | undefined): GoText {
  const canonical = formatQuantity(parseQuantity(text ?? "0"));
  const { format } = parseQuantity(canonical);
  const [, digits = "0", fraction = "", suffix = ""] =
    /^(-?\d+)(?:\.(\d+))?(\D*|e\d+)$/.exec(canonical) ?? [];
  const binary = BINARY.indexOf(suffix);
  if (binary > 0 && fraction !== "") return new GoText(JSON.stringify(canonical));
  const value = binary > 0 ? BigInt(digits) << BigInt(10 * binary) : BigInt(digits + fraction);
  const exponent = /^e(\d+)$/.exec(suffix)?.[1];
  const scale = exponent ? Number(exponent) : (DECIMAL.indexOf(suffix) - 3) * 3;
  const parts = `value:${value}, scale:${binary > 0 ? 0 : scale - fraction.length}`;
  return new GoText(
    `resource.Quantity{i:resource.int64Amount{${parts}}, ` +
      `d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"${canonical}", Format:"${format}"}`,
  );
}

const BINARY: readonly string[] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: readonly string[] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

function structText(name: GoStructName, value: object): string {
  const fields = STRUCTS[name].map((field) => {
    const [goName = "", type = ""] = field.split(" ");
    return `${goName}:${typed(type, (value as Record<string, unknown>)[jsonName(goName)])}`;
  });
  return `${name}{${fields.join(", ")}}`;
}

function jsonName(goName: string): string {
  if (goName.toUpperCase() === goName) return goName.toLowerCase();
  return goName.charAt(0).toLowerCase() + goName.slice(1);
}

function typed(type: string, value: unknown): string {
  if (type === "*v1.Time") return value === undefined ? "<nil>" : JSON.stringify(value);
  if (type.startsWith("*")) {
    return `(${type})(${value === undefined ? "nil" : JSON.stringify(value)})`;
  }
  if (type === "[]string") return goStrings(value as readonly string[] | undefined).text;
  if (type.startsWith("[]")) {
    if (value === undefined) return `${type}(nil)`;
    const items = (value as readonly unknown[]).map((item) => typed(type.slice(2), item));
    return `${type}{${items.join(", ")}}`;
  }
  if (type === "intstr.IntOrString") return goIntOrString((value ?? 0) as number | string).text;
  if (type in STRUCTS) return structText(type as GoStructName, value ?? {});
  return JSON.stringify(value ?? (type === "string" ? "" : 0));
}

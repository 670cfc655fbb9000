import type { ValidationRule } from "../generated/types/apiextensions-v1.ts";
import type { LabelSelector } from "../generated/types/meta-v1.ts";

/** A value as refusals of the Kubernetes API print it where that is not its JSON. */
export class GoText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `map[string]string{"app":"web"}`, in the order of its keys. */
export function goMap(map: Readonly<Record<string, string>> | undefined): GoText {
  if (!map) return new GoText("map[string]string(nil)");
  const pairs = Object.keys(map)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(map[key])}`);
  return new GoText(`map[string]string{${pairs.join(", ")}}`);
}

/** `[]string{"a", "b"}`, or of another type of texts. */
export function goStrings(list: readonly string[] | undefined, type = "string"): GoText {
  if (!list) return new GoText(`[]${type}(nil)`);
  return new GoText(`[]${type}{${list.map((text) => JSON.stringify(text)).join(", ")}}`);
}

/** `v1.LabelSelector{MatchLabels:…, MatchExpressions:…}`. */
export function goSelector(selector: LabelSelector | undefined): GoText {
  if (!selector) return new GoText('"null"');
  const expressions = selector.matchExpressions?.map(({ key, operator, values }) => {
    const of = `Key:${JSON.stringify(key ?? "")}, Operator:${JSON.stringify(operator ?? "")}`;
    return `v1.LabelSelectorRequirement{${of}, Values:${goStrings(values).text}}`;
  });
  const list = expressions ? `{${expressions.join(", ")}}` : "(nil)";
  return new GoText(
    `v1.LabelSelector{MatchLabels:${goMap(selector.matchLabels).text}, ` +
      `MatchExpressions:[]v1.LabelSelectorRequirement${list}}`,
  );
}

/** `intstr.IntOrString{Type:1, IntVal:0, StrVal:"25%"}`. */
export function goIntOrString(value: number | string): GoText {
  const text = typeof value === "string";
  const parts = `IntVal:${text ? 0 : value}, StrVal:${JSON.stringify(text ? value : "")}`;
  return new GoText(`intstr.IntOrString{Type:${text ? 1 : 0}, ${parts}}`);
}

/** `[]byte{0x2d, 0x2d}`, of base64. */
export function goBytes(base64: string): GoText {
  const bytes = [...Buffer.from(base64, "base64")].map((byte) => `0x${byte.toString(16)}`);
  return new GoText(bytes.length === 0 ? "[]byte(nil)" : `[]byte{${bytes.join(", ")}}`);
}

/** A JSON value without a type of its own: `map[string]interface {}{"a":1}`; text is quoted. */
export function goValue(value: unknown): GoText {
  return new GoText(untyped(value));
}

/** A JSON value as `%+v` prints it: `map[a:1 b:[x y]]`. */
export function goPlain(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goPlain).join(" ")}]`;
  if (typeof value !== "object") return typeof value === "string" ? value : JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${goPlain(item)}`).join(" ")}]`;
}

function untyped(value: unknown): string {
  if (value === null || value === undefined) return "interface {}(nil)";
  if (Array.isArray(value)) return `[]interface {}{${value.map(untyped).join(", ")}}`;
  if (typeof value !== "object") {
    return typeof value === "string" ? JSON.stringify(value) : `${value as number}`;
  }
  const entries = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${untyped(inner)}`);
  return `map[string]interface {}{${entries.join(", ")}}`;
}

/** `apiextensions.ValidationRule{Rule:"self > 0", …}`, where nil is what is absent. */
export function goRule(rule: ValidationRule): GoText {
  const { message = "", messageExpression = "", fieldPath = "" } = rule;
  const text = JSON.stringify;
  const pointer = (type: string, value: unknown) =>
    `(*${type})(${value === undefined ? "nil" : text(value)})`;
  const fields = [
    `Rule:${text(rule.rule)}`,
    `Message:${text(message)}`,
    `MessageExpression:${text(messageExpression)}`,
    `Reason:${pointer("apiextensions.FieldValueErrorReason", rule.reason)}`,
    `FieldPath:${text(fieldPath)}`,
    `OptionalOldSelf:${pointer("bool", rule.optionalOldSelf)}`,
  ];
  return new GoText(`apiextensions.ValidationRule{${fields.join(", ")}}`);
}

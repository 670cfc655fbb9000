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

/** `[]string{"a", "b"}`. */
export function goStrings(list: readonly string[] | undefined): GoText {
  if (!list) return new GoText("[]string(nil)");
  return new GoText(`[]string{${list.map((text) => JSON.stringify(text)).join(", ")}}`);
}

/** `v1.LabelSelector{MatchLabels:…, MatchExpressions:…}`. */
export function goSelector(selector: LabelSelector | undefined): GoText {
  if (!selector) return new GoText('"null"');
  const expressions = selector.matchExpressions?.map(({ key, operator, values }) => {
    const of = `Key:${JSON.stringify(key)}, Operator:${JSON.stringify(operator)}`;
    return `v1.LabelSelectorRequirement{${of}, Values:${goStrings(values).text}}`;
  });
  const list = expressions ? `{${expressions.join(", ")}}` : "(nil)";
  return new GoText(
    `v1.LabelSelector{MatchLabels:${goMap(selector.matchLabels).text}, ` +
      `MatchExpressions:[]v1.LabelSelectorRequirement${list}}`,
  );
}

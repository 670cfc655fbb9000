import type { LabelSelector } from "../../api/generated/types/meta-v1.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { ObjectRef } from "../../client/client.ts";
import { type LabelRequirements, matchesLabels } from "../../lib/labels.ts";

/** Which pods the autoscalers of a cluster go by, as far as they have looked. */
export class SelectorTable {
  readonly #selectors = new Map<string, { key: ObjectRef; selector: LabelRequirements }>();

  set(key: ObjectRef, selector: LabelRequirements): void {
    this.#selectors.set(textOf(key), { key, selector });
  }

  delete(key: ObjectRef): void {
    this.#selectors.delete(textOf(key));
  }

  /** The autoscalers that go by any of these pods of one namespace, by name. */
  selecting(pods: readonly Pod[], namespace: string): ObjectRef[] {
    return [...this.#selectors.values()]
      .filter(
        ({ key, selector }) =>
          key.namespace === namespace &&
          pods.some(({ metadata }) => matchesLabels(selector, metadata?.labels)),
      )
      .map(({ key }) => key)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }
}

function textOf({ namespace = "", name }: ObjectRef): string {
  return `${namespace}/${name}`;
}

/** A selector as upstream's messages print it; "nil" for none. */
export function selectorText(selector: LabelSelector | undefined): string {
  if (!selector) return "nil";
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const labels = Object.keys(matchLabels)
    .toSorted()
    .map((key) => `${key}: ${matchLabels[key]},`);
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  return (
    `&LabelSelector{MatchLabels:map[string]string{${labels.join("")}},` +
    `MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`
  );
}

import type {
  MatchCondition,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "../../../api/generated/types/admissionregistration-v1.ts";
import type { Resource } from "../../../api/resource.ts";
import { compileLabelSelector, type LabelRequirements } from "../../../lib/labels.ts";
import type { ObjectReader } from "../../contract.ts";

type Webhook = MutatingWebhook & ValidatingWebhook;
type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

/** One webhook of one configuration, ready to be matched. */
export interface Hook {
  /** Unique among all of its kind. */
  id: string;
  configuration: string;
  name: string;
  webhook: Webhook;
  namespaceSelector: LabelRequirements;
  objectSelector: LabelRequirements;
  conditions: readonly MatchCondition[];
  ignoresFailure: boolean;
  timeoutMs: number;
}

/** The webhooks of all configurations of a kind, by their names, then in their own order. */
export class HookSource {
  readonly #reader: ObjectReader;
  readonly #resource: Resource<Configuration>;
  #configurations: readonly Configuration[] = [];
  #hooks: readonly Hook[] = [];

  constructor(reader: ObjectReader, resource: Resource<Configuration>) {
    this.#reader = reader;
    this.#resource = resource;
  }

  /** Made anew only when a configuration changed. */
  hooks(): readonly Hook[] {
    const configurations = this.#reader.list(this.#resource);
    if (configurations !== this.#configurations) {
      this.#configurations = configurations;
      this.#hooks = configurations.toSorted(byName).flatMap(hooksOf);
    }
    return this.#hooks;
  }
}

function byName(a: Configuration, b: Configuration): number {
  return (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
}

function hooksOf({ metadata, webhooks = [] }: Configuration): Hook[] {
  const configuration = metadata?.name ?? "";
  return (webhooks as readonly Webhook[]).map((webhook, at) => ({
    id: `${configuration}/${webhook.name}/${at}`,
    configuration,
    name: webhook.name,
    webhook,
    namespaceSelector: compileLabelSelector(webhook.namespaceSelector) ?? [],
    objectSelector: compileLabelSelector(webhook.objectSelector) ?? [],
    conditions: webhook.matchConditions ?? [],
    ignoresFailure: webhook.failurePolicy === "Ignore",
    timeoutMs: (webhook.timeoutSeconds ?? 10) * 1000,
  }));
}

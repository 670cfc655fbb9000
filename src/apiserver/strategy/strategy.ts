import type { FieldSet } from "../../api/apply/field-set.ts";
import type { UserInfo } from "../contract.ts";
import type { KubeObject } from "../kube-object.ts";

/** What a strategy may know of the request. */
export interface StrategyContext {
  user: UserInfo;
  /** Epoch milliseconds. */
  nowMs: number;
  /** Through which endpoint it comes. */
  subresource?: string | undefined;
}

/** How a kind differs from every other on its way into the store. */
export interface Strategy {
  /** PUT to a name that does not exist creates it. */
  createOnUpdate: boolean;
  /** PUT without a resourceVersion is accepted. */
  unconditionalUpdate: boolean;
  /** `metadata.generation` is 1 at creation and moves when more than metadata and status does. */
  generation: boolean;
  /** It stays what it was at creation. */
  fixedGeneration?: boolean;
  /** `metadata.generation` is absent at creation; the first change of the spec makes it 1. */
  lateGeneration?: boolean;
  /** Labels count for `metadata.generation` too. */
  labelsCount?: boolean;
  /** Annotations count for `metadata.generation` too. */
  annotationsCount?: boolean;
  /** The status subresource leaves labels alone. */
  statusKeepsLabels?: boolean;
  /** A create may carry status (Nodes register with it). */
  keepsStatusOnCreate: boolean;
  /** What happens to dependents unless the deletion says otherwise. */
  propagation: "Background" | "Orphan";
  /** A finished deletion answers with the object instead of a Status. */
  returnsDeleted: boolean;
  /** By subresource: fields that nobody comes to own there, where that is not status or spec. */
  unowned?: Readonly<Record<string, FieldSet>>;
  /** Many have the same spec: what is found out about one is known of the others. */
  commonSpec?: boolean;
  /** Fills and resets fields of a new object. Its uid and name are set. */
  prepareCreate?(object: KubeObject, context: StrategyContext): void;
  /** Carries over what the main endpoint may not change. Status is already the old one. */
  prepareUpdate?(object: KubeObject, old: KubeObject, context: StrategyContext): void;
  /** Completes a status that comes in through its own endpoint, or that of approvals. */
  prepareStatus?(object: KubeObject, old: KubeObject, context: StrategyContext): void;
  /** Seconds of grace for a deletion; `undefined` for kinds that are deleted at once. */
  gracePeriodSeconds?(object: KubeObject, asked: number | undefined): number;
  /** Finalizers outside metadata that keep the object (Namespaces). */
  holdsBack?(object: KubeObject): boolean;
  /** Marks the object when its deletion begins. */
  prepareDelete?(object: KubeObject): void;
}

/** The rules of most kinds. */
export const PLAIN: Strategy = {
  createOnUpdate: false,
  unconditionalUpdate: true,
  generation: false,
  keepsStatusOnCreate: false,
  propagation: "Background",
  returnsDeleted: false,
};

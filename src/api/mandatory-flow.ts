import type {
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfigurationSpec,
} from "./generated/types/flowcontrol-v1.ts";

/** Rules of a schema that takes in every request of its subjects. */
export const EVERY_REQUEST: Pick<PolicyRulesWithSubjects, "resourceRules" | "nonResourceRules"> = {
  resourceRules: [
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] },
  ],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
};

const group = (name: string) => ({ kind: "Group", group: { name } });

/** What FlowSchemas say that every cluster has, by their names; nobody may change it. */
export const MANDATORY_FLOW_SCHEMAS: Readonly<Record<"exempt" | "catch-all", FlowSchemaSpec>> = {
  exempt: {
    priorityLevelConfiguration: { name: "exempt" },
    matchingPrecedence: 1,
    rules: [{ subjects: [group("system:masters")], ...EVERY_REQUEST }],
  },
  "catch-all": {
    priorityLevelConfiguration: { name: "catch-all" },
    matchingPrecedence: 10_000,
    distinguisherMethod: { type: "ByUser" },
    rules: [
      {
        subjects: [group("system:unauthenticated"), group("system:authenticated")],
        ...EVERY_REQUEST,
      },
    ],
  },
};

/** The same of PriorityLevelConfigurations; how much "exempt" lends may be changed. */
export const MANDATORY_LEVELS: Readonly<
  Record<"exempt" | "catch-all", PriorityLevelConfigurationSpec>
> = {
  exempt: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  "catch-all": {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: 5,
      lendablePercent: 0,
      limitResponse: { type: "Reject" },
    },
  },
};

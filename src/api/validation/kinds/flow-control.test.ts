import { test } from "node:test";
import { FLOW_SCHEMAS, PRIORITY_LEVEL_CONFIGURATIONS } from "../../generated/resources.ts";
import { MANDATORY_FLOW_SCHEMAS, MANDATORY_LEVELS } from "../../mandatory-flow.ts";
import { checkRuleCases } from "../rule-cases.ts";

const VERBS =
  '"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"';
const DOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or " +
  "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

test("rules of flow schemas", () => {
  const R = "spec.rules[0]";
  const precedence = (value: number, detail: string) =>
    [
      { "spec.matchingPrecedence": value },
      `spec.matchingPrecedence: Invalid value: ${value}: ${detail}`,
    ] as const;
  const url = (text: string, detail: string) =>
    [
      { "spec.rules[0].nonResourceRules": [{ verbs: ["get"], nonResourceURLs: [text] }] },
      `${R}.nonResourceRules[0].nonResourceURLs[0]: Invalid value: "${text}": ${detail}`,
    ] as const;
  const resource = { verbs: ["get"], apiGroups: ["a"], resources: ["b"], namespaces: ["c"] };
  const user = { kind: "User", user: { name: "jane" } };
  checkRuleCases(FLOW_SCHEMAS, {
    base: {
      spec: {
        matchingPrecedence: 50,
        priorityLevelConfiguration: { name: "system" },
        rules: [{ subjects: [user], resourceRules: [resource] }],
      },
    },
    create: [
      precedence(-1, "must be a positive value"),
      precedence(10_001, "must not be greater than 10000"),
      precedence(1, "only the schema named 'exempt' may have matchingPrecedence 1"),
      [{ "spec.distinguisherMethod": { type: "ByNamespace" } }],
      [
        { "spec.distinguisherMethod": {} },
        'spec.distinguisherMethod.type: Unsupported value: flowcontrol.FlowDistinguisherMethod{Type:""}: supported values: "ByNamespace", "ByUser"',
      ],
      [
        { "spec.priorityLevelConfiguration.name": "" },
        "spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
      ],
      [
        { "spec.priorityLevelConfiguration.name": "system+++$$" },
        `spec.priorityLevelConfiguration.name: Invalid value: "system+++$$": ${DOMAIN}`,
      ],
      [
        { "spec.rules[0]": { subjects: [], resourceRules: [], nonResourceRules: [] } },
        `${R}.subjects: Required value: subjects must contain at least one value`,
        `${R}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty`,
      ],
      [
        { "spec.rules[0].subjects[0]": { kind: "System" } },
        `${R}.subjects[0].kind: Unsupported value: "System": supported values: "Group", "ServiceAccount", "User"`,
      ],
      [
        {
          "spec.rules[0].subjects[0]": {
            kind: "ServiceAccount",
            serviceAccount: { name: "", namespace: "" },
            user: { name: "a" },
            group: { name: "a" },
          },
        },
        `${R}.subjects[0].serviceAccount.name: Required value`,
        `${R}.subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account`,
        `${R}.subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'`,
        `${R}.subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'`,
      ],
      [
        { "spec.rules[0].subjects[0]": { kind: "Group", serviceAccount: {}, user: {} } },
        `${R}.subjects[0].group: Required value: group is required when subject kind is 'Group'`,
        `${R}.subjects[0].serviceAccount: Forbidden: serviceAccount is forbidden when subject kind is not 'ServiceAccount'`,
        `${R}.subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'`,
      ],
      [
        { "spec.rules[0].resourceRules[0]": { ...resource, verbs: ["feed"] } },
        `${R}.resourceRules[0].verbs: Unsupported value: []string{"feed"}: supported values: ${VERBS}`,
      ],
      [
        {
          "spec.rules[0].resourceRules[0]": {
            verbs: ["*", "get"],
            apiGroups: ["*", "a"],
            resources: [],
            namespaces: [],
          },
        },
        `${R}.resourceRules[0].verbs: Invalid value: []string{"*", "get"}: if '*' is present, must not specify other verbs`,
        `${R}.resourceRules[0].apiGroups: Invalid value: []string{"*", "a"}: if '*' is present, must not specify other api groups`,
        `${R}.resourceRules[0].resources: Required value: resource rules must supply at least one resource`,
        `${R}.resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace`,
      ],
      [{ "spec.rules[0].nonResourceRules": [{ verbs: ["get"], nonResourceURLs: ["/", "/a/*"] }] }],
      url("", "must not be empty"),
      url("a", "must start with slash"),
      url("/a b", "must not contain white-space"),
      url("/a//b", "must not contain double slash"),
      url("/a*", "wildcard can only do suffix matching"),
      url("/*/*", "wildcard can only do suffix matching"),
    ],
    subresources: {
      status: [
        [
          { "status.conditions": [{ type: "" }, { type: "" }] },
          "status.conditions[0].type: Required value: must not be empty",
          'status.conditions[1].type: Duplicate value: ""',
          "status.conditions[1].type: Required value: must not be empty",
        ],
      ],
    },
  });
});

test("schemas that every cluster has stay as they are", () => {
  const spec = MANDATORY_FLOW_SCHEMAS["catch-all"];
  const other = { ...spec, matchingPrecedence: 9_999 };
  checkRuleCases(FLOW_SCHEMAS, {
    base: { metadata: { name: "catch-all" }, spec },
    update: [
      [
        { spec: other },
        `spec: Invalid value: ${JSON.stringify(other)}: spec of 'catch-all' must equal the fixed value`,
      ],
    ],
  });
  checkRuleCases(FLOW_SCHEMAS, {
    base: { metadata: { name: "exempt" }, spec: MANDATORY_FLOW_SCHEMAS.exempt },
  });
});

test("rules of priority levels", () => {
  const Q = "spec.limited.limitResponse.queuing";
  const hand = (queues: number, handSize: number, detail: string) =>
    [
      { [Q]: { queues, handSize, queueLengthLimit: 1 } },
      `${Q}.handSize: Invalid value: ${handSize}: ${detail}`,
    ] as const;
  checkRuleCases(PRIORITY_LEVEL_CONFIGURATIONS, {
    base: {
      spec: {
        type: "Limited",
        limited: {
          nominalConcurrencyShares: 5,
          limitResponse: {
            type: "Queue",
            queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 },
          },
        },
      },
    },
    create: [
      [{ "spec.limited.nominalConcurrencyShares": 0 }],
      [
        {
          "metadata.annotations": {
            "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares": "",
          },
        },
        "metadata.annotations: Forbidden: annotation 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares' is forbidden",
      ],
      [
        { "spec.limited": undefined, "spec.exempt": {} },
        "spec.exempt: Forbidden: must be nil if the type is Limited",
        "spec.limited: Required value: must not be empty when type is Limited",
      ],
      [
        { "spec.limited.nominalConcurrencyShares": -1 },
        "spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
      ],
      [
        { "spec.limited.lendablePercent": 101 },
        "spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
      ],
      [
        { "spec.limited.borrowingLimitPercent": -1 },
        "spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer",
      ],
      [
        { "spec.limited.limitResponse": { type: "Queue" } },
        `${Q}: Required value: must not be empty if limited.limitResponse.type is Limited`,
      ],
      [
        { "spec.limited.limitResponse.type": "Reject" },
        `${Q}: Forbidden: must be nil if limited.limitResponse.type is not Limited`,
      ],
      [
        { "spec.limited.limitResponse.type": "" },
        'spec.limited.limitResponse.type: Unsupported value: "": supported values: "Queue", "Reject"',
      ],
      hand(1, 0, "must be positive"),
      hand(7, 8, "should not be greater than queues (7)"),
      hand(
        512,
        8,
        "required entropy bits of deckSize 512 and handSize 8 should not be greater than 60",
      ),
      [
        { [Q]: { queues: 10_000_001, handSize: 1, queueLengthLimit: -1 } },
        `${Q}.queueLengthLimit: Invalid value: -1: must be positive`,
        `${Q}.queues: Invalid value: 10000001: must not be greater than 10000000`,
      ],
    ],
  });
});

test("levels that every cluster has stay as they are, but for what exempt requests lend", () => {
  const { exempt } = MANDATORY_LEVELS;
  const wrong = { type: "Limited", limited: { limitResponse: { type: "Reject" } } };
  checkRuleCases(PRIORITY_LEVEL_CONFIGURATIONS, {
    base: { metadata: { name: "exempt" }, spec: exempt },
    update: [
      [{ "spec.exempt": { nominalConcurrencyShares: 10, lendablePercent: 50 } }],
      [
        { "spec.exempt": { nominalConcurrencyShares: -1, lendablePercent: 101 } },
        "spec.exempt.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
        "spec.exempt.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
      ],
      [
        { spec: wrong },
        `spec.type: Invalid value: "Limited": type must be 'Exempt' if and only if name is 'exempt'`,
        `spec: Invalid value: ${JSON.stringify(wrong)}: spec of 'exempt' except the 'spec.exempt' field must equal the fixed value`,
      ],
    ],
  });
  const spec = { ...MANDATORY_LEVELS["catch-all"], limited: wrong.limited };
  checkRuleCases(PRIORITY_LEVEL_CONFIGURATIONS, {
    base: { metadata: { name: "catch-all" }, spec: MANDATORY_LEVELS["catch-all"] },
    update: [
      [
        { spec },
        `spec: Invalid value: ${JSON.stringify(spec)}: spec of 'catch-all' must equal the fixed value`,
      ],
    ],
  });
});

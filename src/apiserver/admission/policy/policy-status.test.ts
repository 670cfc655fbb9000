import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../../lib/virtual-clock.ts";
import { startServer } from "../../api-server-fixture.ts";

const POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";

test("kinds are told with their group, which the core has none of, and in its order", async () => {
  await using api = await startServer();
  const rule = { apiVersions: ["v1"], operations: ["*"] };
  await api.ask("POST", POLICIES, {
    metadata: { name: "p" },
    spec: {
      matchConstraints: {
        resourceRules: [
          { ...rule, apiGroups: ["apps"], resources: ["deployments"] },
          { ...rule, apiGroups: [""], resources: ["secrets", "pods", "pods/status"] },
        ],
      },
      validations: [{ expression: "object.nope" }],
    },
  });
  await settle();
  const { status } = await api.ask("GET", `${POLICIES}/p`);
  const { typeChecking } = status as {
    typeChecking: { expressionWarnings: { fieldRef: string; warning: string }[] };
  };
  const [found] = typeChecking.expressionWarnings;
  const kinds = found?.warning.split("\n").flatMap((line) => /^(.*): ERROR/.exec(line)?.[1] ?? []);
  assert.deepEqual(kinds, ["/v1, Kind=Pod", "/v1, Kind=Secret", "apps/v1, Kind=Deployment"]);
});

test("the status tells what expressions get wrong about the kinds they are for", async () => {
  await using api = await startServer();
  const rule = { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["*"] };
  await api.ask("POST", POLICIES, {
    metadata: { name: "p" },
    spec: {
      matchConstraints: { resourceRules: [{ ...rule, resources: ["deployments"] }] },
      variables: [{ name: "replicas", expression: "object.spec.replicas" }],
      validations: [
        { expression: "object.replicas > 1" },
        { expression: "variables.replicas == 'x'" },
        { expression: "object.spec.replicas > 1", messageExpression: "'at ' + object.nope" },
      ],
    },
  });
  await settle();
  const { status } = await api.ask("GET", `${POLICIES}/p`);
  const { observedGeneration, typeChecking } = status as {
    observedGeneration: number;
    typeChecking: { expressionWarnings: { fieldRef: string; warning: string }[] };
  };
  assert.equal(observedGeneration, 1);
  assert.deepEqual(typeChecking.expressionWarnings, [
    {
      fieldRef: "spec.validations[0].expression",
      warning:
        "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n" +
        " | object.replicas > 1\n | ......^\n",
    },
    {
      fieldRef: "spec.validations[1].expression",
      warning:
        "apps/v1, Kind=Deployment: ERROR: <input>:1:20: found no matching overload for '_==_' " +
        "applied to '(int, string)'\n | variables.replicas == 'x'\n | ...................^\n",
    },
    {
      fieldRef: "spec.validations[2].messageExpression",
      warning:
        "apps/v1, Kind=Deployment: ERROR: <input>:1:15: undefined field 'nope'\n" +
        " | 'at ' + object.nope\n | ..............^\n",
    },
  ]);
});

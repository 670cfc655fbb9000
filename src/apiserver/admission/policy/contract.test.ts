import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG_MAPS } from "../../../api/generated/resources.ts";
import type { ObjectReader } from "../../contract.ts";
import { fixtureRequest } from "../admission-fixture.ts";
import { createConditionEngine } from "./contract.ts";

const reader: ObjectReader = {
  get: <T>() => ({ metadata: { name: "a", labels: { team: "red" } } }) as T,
  list: () => [],
};
const engine = createConditionEngine({
  reader,
  authorizer: {
    authorize: ({ verb, resource = "", namespace = "" }) => {
      const allowed = `${verb} ${resource} ${namespace}` === "break-glass configmaps a";
      return { allowed, reason: "" };
    },
  },
});
const request = fixtureRequest(CONFIG_MAPS, { metadata: { name: "c" }, data: { x: "1" } });
const matches = (...expressions: string[]) => {
  const conditions = expressions.map((expression, at) => ({ name: `c${at}`, expression }));
  return engine.matchConditions(conditions, engine.input(request));
};

test("conditions see the request, its objects, its namespace and the authorizer", () => {
  const all = [
    "object.data.x == '1' && oldObject == null",
    "request.operation == 'CREATE' && request.resource.resource == 'configmaps'",
    "request.userInfo.username == 'jane' && !('admins' in request.userInfo.groups)",
    "request.kind.kind == 'ConfigMap' && request.namespace == 'a' && !request.dryRun",
    "namespaceObject.metadata.labels['team'] == 'red'",
    "authorizer.requestResource.check('break-glass').allowed()",
    "!authorizer.group('').resource('secrets').namespace('a').check('get').allowed()",
    "!authorizer.serviceAccount('a', 'b').path('/healthz').check('get').allowed()",
  ];
  assert.deepEqual(matches(...all), { matches: true });
});

test("a condition that is false decides, whatever else fails", () => {
  assert.deepEqual(matches("object.nope == 1", "false"), { matches: false });
  assert.deepEqual(matches("true", "object.nope == 1"), {
    matches: false,
    error: "expression 'object.nope == 1' resulted in error: no such key: nope",
  });
});

test("conditions that cannot be compiled or cost too much fail", () => {
  assert.match(matches("object.").error ?? "", /^compilation error: ERROR: <input>:1:8/);
  const ten = "[0,1,2,3,4,5,6,7,8,9]";
  const hostile = `${`${ten}.all(x, `.repeat(7)}true${")".repeat(7)}`;
  assert.match(matches(hostile).error ?? "", /actual cost limit exceeded$/);
  assert.match(matches(hostile, hostile, hostile).error ?? "", /running out of cost budget/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import type { StatusError } from "../../api/errors.ts";
import { warningsOf } from "../../api/warnings/warnings.ts";
import type { KubeObject } from "../kube-object.ts";
import { startServer } from "../api-server-fixture.ts";
import { CommonSpecs } from "./common-specs.ts";

const PATH = "/api/v1/namespaces/default/pods";

function podOf(name: string, { image = "a", ...metadata }: Record<string, unknown> = {}) {
  const env = [{ name: "A", value: "1" }];
  const resources = { requests: { cpu: "100m" }, limits: { memory: "1Gi" } };
  const spec = { containers: [{ name: "c", image, env, resources }], nodeSelector: { a: "b" } };
  return { metadata: { name, ...metadata }, spec };
}

test("equal specs of one origin become one; another spec, or another origin, starts anew", () => {
  const specs = new CommonSpecs();
  const made = (name: string, more?: Record<string, unknown>) => {
    const pod = podOf(name, more) as unknown as KubeObject;
    return { pod, common: specs.share(pod) };
  };
  const [first, second] = [made("a"), made("b")];
  assert.equal(second.pod["spec"], first.pod["spec"]);
  assert.equal(second.common, first.common);
  assert.equal(Object.isFrozen(first.pod["spec"]), true);
  const other = made("c", { image: "b" });
  assert.notEqual(other.common, first.common);
  assert.deepEqual(other.pod["spec"], podOf("c", { image: "b" }).spec);
  const elsewhere = made("d", { generateName: "d-" });
  assert.notEqual(elsewhere.common, other.common);
  assert.equal(made("e", { image: "b" }).common, other.common);
  assert.equal(specs.share({ metadata: { name: "f" } }), undefined);
});

test("pods of one template are stored as if each was the first", async () => {
  const stored = async (names: readonly string[]) => {
    await using api = await startServer();
    const pods = [];
    for (const name of names) pods.push(await api.ask("POST", PATH, podOf(name)));
    const { uid: _, resourceVersion: __, ...metadata } = pods.at(-1)?.metadata ?? {};
    return JSON.stringify({ ...pods.at(-1), metadata });
  };
  assert.equal(await stored(["a", "b", "x"]), await stored(["x"]));
});

test("what is wrong with a spec is said every time, and that of others does not suffer", async () => {
  await using api = await startServer();
  const bad = (name: string) => api.ask("POST", PATH, podOf(name, { image: " a" }));
  const refusal = (asked: Promise<unknown>) =>
    asked.then(
      () => assert.fail("the request was not refused"),
      ({ status }: StatusError) => (status.message ?? "").replace(/^Pod "."/, ""),
    );
  const first = await refusal(bad("a"));
  assert.match(first, /spec\.containers\[0\]\.image/);
  assert.equal(await refusal(bad("b")), first);
  await api.ask("POST", PATH, podOf("c"));
  assert.equal(await refusal(bad("d")), first);
  await api.ask("POST", PATH, podOf("e"));
  const misnamed = await refusal(api.ask("POST", PATH, podOf("f", { labels: { "a b": "c" } })));
  assert.match(misnamed, /metadata\.labels/);
});

test("a client is told of what its pod alone has, and of what others had before", () => {
  const specs = new CommonSpecs();
  const warnings = (name: string, more?: Record<string, unknown>) => {
    const pod = podOf(name, more) as unknown as KubeObject;
    const [container] = (pod["spec"] as ReturnType<typeof podOf>["spec"]).containers;
    container?.env.push({ name: "A", value: "2" });
    return warningsOf(PODS, pod, { common: specs.share(pod) });
  };
  const [hidden = ""] = warnings("a");
  assert.match(hidden, /hides previous definition of "A"/);
  assert.deepEqual(warnings("b"), [hidden]);
  assert.equal(warnings("c.d").length, 2);
  const annotations = { "scheduler.alpha.kubernetes.io/critical-pod": "" };
  assert.equal(warnings("e", { annotations }).length, 2);
  assert.deepEqual(warnings("f"), [hidden]);
});

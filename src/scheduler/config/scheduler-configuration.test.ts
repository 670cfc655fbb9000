import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultPlugins } from "../framework/default-plugins.ts";
import { emptyPluginDeps } from "../scheduler-fixture.ts";
import type { EnabledPlugin } from "../framework/plan.ts";
import { pluginsOf } from "./profile-plugins.ts";
import {
  readSchedulerConfiguration,
  type SchedulerConfiguration,
} from "./scheduler-configuration.ts";

const deps = emptyPluginDeps();
const read = (fields: object): SchedulerConfiguration =>
  readSchedulerConfiguration({
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    ...fields,
  });
const pluginsIn = (profile: object): EnabledPlugin[] => {
  const [first] = read({ profiles: [profile] }).profiles;
  assert.ok(first);
  return pluginsOf(first, { deps });
};
/** "weight filter score" by name, for each plugin of the first profile. */
const shapes = (profile: object): Record<string, string> => {
  const plugins = pluginsIn(profile);
  return Object.fromEntries(
    plugins.map(({ plugin: { name }, scoreWeight }) => {
      const has = (point: "filter" | "score") =>
        plugins.some(({ plugin }) => plugin.name === name && plugin[point]) ? ` ${point}` : "";
      return [name, `${scoreWeight}${has("filter")}${has("score")}`];
    }),
  );
};

test("without a word about plugins the defaults hold, with upstream's weights", () => {
  assert.deepEqual(
    Object.keys(shapes({})),
    defaultPlugins(deps).map(({ plugin }) => plugin.name),
  );
  const { TaintToleration, NodeAffinity, ImageLocality } = shapes({});
  assert.equal(TaintToleration, "3 filter score");
  assert.equal(NodeAffinity, "2 filter score");
  assert.equal(ImageLocality, "1 score");
});

test("a plugin is switched off everywhere by multiPoint, and weighted anew", () => {
  const found = shapes({
    plugins: {
      multiPoint: {
        disabled: [{ name: "ImageLocality" }],
        enabled: [{ name: "NodeResourcesFit", weight: 7 }],
      },
    },
  });
  assert.equal(found["ImageLocality"], undefined);
  assert.equal(found["NodeResourcesFit"], "7 filter score");
});

test("a plugin that is named anew has the weight that it is given there, or one", () => {
  const anew = (plugins: object) => shapes({ plugins })["NodeAffinity"];
  const named = { enabled: [{ name: "NodeAffinity" }] };
  assert.equal(anew({ multiPoint: named }), "1 filter score");
  assert.equal(anew({ score: named }), "1 filter score");
  assert.equal(
    anew({ multiPoint: { enabled: [{ name: "NodeAffinity", weight: 5 }] }, score: named }),
    "1 filter score",
  );
  assert.equal(anew({ filter: named }), "2 filter score");
});

test("what is named at a point goes first there, and nowhere else", () => {
  const at = (point: "filter" | "score", plugins: object) =>
    pluginsIn({ plugins }).flatMap(({ plugin }) => (plugin[point] ? [plugin.name] : []));
  const named = { enabled: [{ name: "NodePorts" }, { name: "TaintToleration" }] };
  const usual = at("filter", {});
  const others = usual.filter((name) => name !== "NodePorts" && name !== "TaintToleration");
  assert.deepEqual(at("filter", { filter: named }), ["NodePorts", "TaintToleration", ...others]);
  assert.deepEqual(at("score", { filter: named }), at("score", {}));
  const all = { multiPoint: { disabled: [{ name: "*" }], ...named } };
  assert.deepEqual(at("filter", all), ["NodePorts", "TaintToleration"]);
  assert.deepEqual(at("filter", { filter: { disabled: [{ name: "*" }], ...named } }), [
    "NodePorts",
    "TaintToleration",
  ]);
});

test("one point is switched off, and only one point switched on", () => {
  const found = shapes({
    plugins: {
      multiPoint: { disabled: [{ name: "TaintToleration" }] },
      score: { disabled: [{ name: "*" }], enabled: [{ name: "NodeAffinity", weight: 5 }] },
      filter: { enabled: [{ name: "TaintToleration" }] },
    },
  });
  assert.equal(found["NodeResourcesFit"], "1 filter");
  assert.equal(found["NodeAffinity"], "5 filter score");
  assert.equal(found["TaintToleration"], "1 filter");
});

test("several schedulers have several profiles, and back-off is theirs to set", () => {
  const { profiles, podInitialBackoffMs, podMaxBackoffMs } = read({
    podInitialBackoffSeconds: 2,
    podMaxBackoffSeconds: 20,
    leaderElection: { leaderElect: true },
    profiles: [{ schedulerName: "a" }, { schedulerName: "b", percentageOfNodesToScore: 30 }],
  });
  assert.deepEqual([podInitialBackoffMs, podMaxBackoffMs], [2000, 20_000]);
  assert.deepEqual(
    profiles.map(({ schedulerName }) => schedulerName),
    ["a", "b"],
  );
  assert.equal(profiles[1]?.percentageOfNodesToScore, 30);
});

test("an extender is read with its defaults", () => {
  const [extender] = read({
    extenders: [{ urlPrefix: "http://127.0.0.1/x", filterVerb: "f", httpTimeout: "1m30s" }],
  }).extenders;
  assert.equal(extender?.timeoutMs, 90_000);
  assert.equal(extender?.ignorable, false);
});

const managing = (...names: string[]) => ({
  extenders: [{ urlPrefix: "x", managedResources: names.map((name) => ({ name })) }],
});
const REFUSED: [document: object, message: RegExp][] = [
  [{ kind: "Pod" }, /is "kubescheduler.config.k8s.io\/v1" "Pod", wanted/],
  [{ profiles: {} }, /profiles must be a list/],
  [{ profiles: [{ schedulerName: "a" }, { schedulerName: "a" }] }, /profiles\[1\].schedulerName/],
  [{ percentageOfNodesToScore: 101 }, /percentageOfNodesToScore must be a whole number from 0/],
  [{ profiles: [{ plugins: { bnid: {} } }] }, /profiles\[0\].plugins.bnid is no extension point/],
  [{ podInitialBackoffSeconds: 20 }, /podMaxBackoffSeconds must not be below/],
  [{ podInitialBackoffSeconds: 0 }, /podInitialBackoffSeconds must be a whole number from 1/],
  [{ podMaxBackoffSeconds: 0 }, /podMaxBackoffSeconds must not be below/],
  [{ parallelism: 0 }, /parallelism must be a whole number from 1/],
  [{ profiles: [{ schedulerName: "a" }, {}] }, /profiles\[1\].schedulerName must be set/],
  [
    { profiles: [{ pluginConfig: [{ name: "NodeAffinity" }, { name: "NodeAffinity" }] }] },
    /pluginConfig\[1\].name "NodeAffinity" is there already/,
  ],
  [
    { profiles: [{ plugins: { score: { enabled: [{ name: "A" }, { name: "A" }] } } }] },
    /score.enabled\[1\].name "A" is there already/,
  ],
  [
    { profiles: [{ plugins: { queueSort: { enabled: [{ name: "A" }, { name: "B" }] } } }] },
    /queueSort.enabled must name one plugin/,
  ],
  [
    {
      profiles: [
        { schedulerName: "a" },
        { schedulerName: "b", plugins: { queueSort: { enabled: [{ name: "A" }] } } },
      ],
    },
    /profiles\[1\].plugins.queueSort must be the same in all profiles/,
  ],
  [
    {
      extenders: [
        { urlPrefix: "x", bindVerb: "b" },
        { urlPrefix: "y", bindVerb: "b" },
      ],
    },
    /extenders must have one bindVerb at most/,
  ],
  [managing("foo"), /managedResources\[0\].name must be an extended resource/],
  [managing("example.com/a b"), /managedResources\[0\].name name part/],
  [managing("kubernetes.io/foo"), /managedResources\[0\].name must be an extended resource/],
  [
    managing("a.com/foo", "a.com/foo"),
    /managedResources\[1\].name "a.com\/foo" is managed already/,
  ],
  [{ extenders: [{}] }, /extenders\[0\].urlPrefix must be set/],
  [{ extenders: [{ urlPrefix: "x", prioritizeVerb: "p" }] }, /extenders\[0\].weight/],
  [
    { extenders: [{ urlPrefix: "x", tlsConfig: { certFile: "c" } }] },
    /extenders\[0\].tlsConfig must have a certificate and its key, or neither/,
  ],
  [
    { extenders: [{ urlPrefix: "x", tlsConfig: { insecure: true, caFile: "c" } }] },
    /extenders\[0\].tlsConfig.insecure must not be set beside an authority/,
  ],
];
for (const [fields, message] of REFUSED) {
  test(`a bad scheduler configuration is refused: ${message.source}`, () => {
    assert.throws(() => read(fields), message);
  });
}

test("plugins that 1.32 took away are refused, too", () => {
  for (const name of ["EBSLimits", "GCEPDLimits", "AzureDiskLimits", "CinderLimits"]) {
    const plugins = { filter: { enabled: [{ name }] } };
    assert.throws(
      () => shapes({ plugins }),
      new RegExp(`Cannot use the scheduler plugin "${name}"`),
    );
    assert.ok(shapes({ plugins: { filter: { disabled: [{ name }] } } }));
  }
});

test("a plugin that nobody knows is refused by name", () => {
  assert.throws(
    () => shapes({ plugins: { multiPoint: { enabled: [{ name: "Magic" }] } } }),
    /Cannot use the scheduler plugin "Magic": known are SchedulingGates,/,
  );
});

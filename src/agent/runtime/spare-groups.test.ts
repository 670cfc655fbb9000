import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmdirSync } from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { openCgroups } from "../../sys/cgroup.ts";
import { createSpareGroups } from "./spare-groups.ts";

const cgroups = openCgroups();
const hasNames = cgroups.rename !== undefined && process.getuid?.() === 0;
const skip = hasNames ? false : "groups can be renamed by root on cgroup v1 alone";
let roots = 0;

function groupsBelow(t: TestContext, max: number) {
  const root = `/nephos-test-spare-${process.pid}-${++roots}`;
  const parents = ["besteffort", "burstable"].map((name) => path.posix.join(root, name));
  for (const parent of parents) cgroups.create(parent);
  t.after(() => cgroups.remove(root));
  const clock = new VirtualClock();
  const spares = createSpareGroups({ cgroups, clock, logger: silentLogger, max, parents });
  t.after(() => spares[Symbol.dispose]());
  return { root, spares, clock };
}

const containsIn = (group: string) =>
  cgroups.hierarchies.map((hierarchy) =>
    readdirSync(path.join(hierarchy, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .join(" "),
  );
const everywhere = (names: string) => cgroups.hierarchies.map(() => names);

test("a pod gets a group that was made ahead, with one of a container", { skip }, async (t) => {
  const { root, spares, clock } = groupsBelow(t, 2);
  spares.begin();
  await clock.advance(60_000);
  assert.equal(cgroups.names(`${root}/besteffort`).length, 2);
  assert.deepEqual(cgroups.names(`${root}/burstable`), [], "none of its pods came");
  const pod = `${root}/besteffort/pod1`;
  spares.createPod(pod);
  assert.deepEqual(containsIn(pod), everywhere("spare"));
  assert.equal(cgroups.names(`${root}/besteffort`).length, 2, "one became the pod's");
  assert.equal(spares.createContainer(`${pod}/c1`), true);
  assert.equal(spares.createContainer(`${pod}/c2`), false, "there was one for the first");
  assert.deepEqual(
    containsIn(pod).map((names) => names.split(" ").sort().join(" ")),
    everywhere("c1 c2"),
  );
  const rules = (name: string) =>
    readFileSync(`/sys/fs/cgroup/devices${pod}/${name}/devices.list`, "utf8").trim();
  assert.match(rules("c1"), /^c \*:\* m$/m);
  assert.equal(rules("c2"), "a *:* rwm");
});

test("pods of another class come to have some, and those that find none are served", {
  skip,
}, async (t) => {
  const { root, spares, clock } = groupsBelow(t, 1);
  const pod = (name: string) => `${root}/burstable/${name}`;
  spares.begin();
  spares.createPod(pod("pod1"));
  assert.deepEqual(containsIn(pod("pod1")), everywhere(""));
  assert.equal(spares.createContainer(`${pod("pod1")}/c1`), false);
  await clock.advance(60_000);
  spares.createPod(pod("pod2"));
  spares.createPod(pod("pod3"));
  assert.deepEqual(containsIn(pod("pod2")), everywhere("spare"));
  assert.deepEqual(containsIn(pod("pod3")), everywhere(""));
  spares.createPod(pod("pod3"));
  assert.deepEqual(cgroups.names(pod("pod3")), [], "made twice without harm");
});

test("what an earlier process left goes, and what somebody took away is made again", {
  skip,
}, async (t) => {
  const { root, spares, clock } = groupsBelow(t, 1);
  cgroups.create(`${root}/besteffort/spare-7/spare`);
  spares.begin();
  assert.deepEqual(cgroups.names(`${root}/besteffort`), []);
  await clock.advance(60_000);
  const [spare = ""] = cgroups.names(`${root}/besteffort`);
  // Somebody took it away in one of the hierarchies.
  for (const group of [`${spare}/spare`, spare]) {
    rmdirSync(path.join("/sys/fs/cgroup/pids", root, "besteffort", group));
  }
  spares.createPod(`${root}/besteffort/pod1`);
  assert.deepEqual(cgroups.names(`${root}/besteffort`), ["pod1"]);
  assert.equal(spares.createContainer(`${root}/besteffort/pod1/c1`), false);
  assert.equal(spares.createContainer(`${root}/besteffort/pod1/c1`), false);
  for (const names of containsIn(`${root}/besteffort/pod1`)) assert.match(names, /c1/);
});

test("nothing is left of those that nobody took", { skip }, async (t) => {
  const { root, spares, clock } = groupsBelow(t, 3);
  spares.begin();
  await clock.advance(60_000);
  assert.equal(cgroups.names(`${root}/besteffort`).length, 3);
  spares[Symbol.dispose]();
  assert.deepEqual(cgroups.names(`${root}/besteffort`), []);
});

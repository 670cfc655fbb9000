import assert from "node:assert/strict";
import { test } from "node:test";
import type { Volume } from "../../api/generated/types/core-v1.ts";
import { wakes } from "../plugins/hint-fixture.ts";
import { type PodShape, reasonsOf } from "../plugins/plugin-table-fixture.ts";
import { VolumeCatalog } from "./volume-catalog.ts";
import { volumeRestrictions } from "./volume-restrictions.ts";

// Facts of upstream's tests of VolumeRestrictions, Kubernetes 1.20 to 1.32, Apache-2.0: which
// disks that pods name themselves keep pods off a node, and whose departure helps.

const gce = (pdName: string, readOnly = false): Volume => ({
  name: "v",
  gcePersistentDisk: { pdName, readOnly },
});
const aws = (volumeID: string, readOnly = false): Volume => ({
  name: "v",
  awsElasticBlockStore: { volumeID, readOnly },
});
const iscsi = (iqn: string, readOnly = false): Volume => ({
  name: "v",
  iscsi: { targetPortal: "127.0.0.1:3260", iqn, lun: 0, readOnly },
});
const rbd = (monitors: string[], image = "bar", readOnly = false): Volume => ({
  name: "v",
  rbd: { monitors, pool: "foo", image, readOnly },
});

const TAKEN = ["node(s) had no available disk"];
const ROWS: [string, Volume | undefined, Volume | undefined, readonly string[]][] = [
  ["nothing asked for, nothing there", undefined, undefined, []],
  ["nothing asked for", undefined, gce("foo"), []],
  ["the same GCE disk", gce("foo"), gce("foo"), TAKEN],
  ["another GCE disk", gce("bar"), gce("foo"), []],
  ["the same GCE disk, to read only", gce("foo", true), gce("foo", true), []],
  ["a GCE disk, to read what another writes", gce("foo", true), gce("foo"), TAKEN],
  ["the same EBS volume", aws("foo"), aws("foo"), TAKEN],
  ["another EBS volume", aws("bar"), aws("foo"), []],
  ["the same EBS volume, to read only", aws("foo", true), aws("foo", true), TAKEN],
  ["the same RBD image", rbd(["a", "b"]), rbd(["a", "b"]), TAKEN],
  ["an RBD image of other monitors", rbd(["c", "d"]), rbd(["a", "b"]), []],
  ["an RBD image with one monitor in common", rbd(["b", "c"]), rbd(["a", "b"]), TAKEN],
  ["another RBD image", rbd(["a"], "other"), rbd(["a"]), []],
  ["the same RBD image, to read only", rbd(["a"], "bar", true), rbd(["a"], "bar", true), []],
  ["the same iSCSI target", iscsi("iqn.2016-12.s:t1"), iscsi("iqn.2016-12.s:t1"), TAKEN],
  ["another iSCSI target", iscsi("iqn.2017-12.s:t1"), iscsi("iqn.2016-12.s:t1"), []],
  ["the same iSCSI target, to read only", iscsi("t", true), iscsi("t", true), []],
  ["disks of two kinds and one name", gce("foo"), aws("foo"), []],
];
const shape = (volume: Volume | undefined): PodShape => ({
  spec: volume ? { volumes: [volume] } : {},
});
for (const [name, wanted, there, reasons] of ROWS) {
  test(`the filter of VolumeRestrictions: ${name}`, () => {
    const plugin = volumeRestrictions(new VolumeCatalog());
    const nodes = { n1: { pods: [shape(there)] } };
    assert.deepEqual(reasonsOf(plugin, { pod: shape(wanted), nodes }), reasons);
  });
  if (!wanted || !there) continue;
  test(`the hint of VolumeRestrictions, the other leaves: ${name}`, () => {
    const plugin = volumeRestrictions(new VolumeCatalog());
    const woken = wakes(plugin, shape(wanted), { podRemoved: shape(there) });
    assert.equal(woken, reasons === TAKEN);
  });
}

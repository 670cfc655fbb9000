import assert from "node:assert/strict";
import { test } from "node:test";
import type * as cri from "../format/cri/generated.ts";
import { firstUserOf } from "./user-mapping.ts";

const RANGE = { hostId: 131_072_000, containerId: 0, length: 65_536 };

function options(users: Partial<cri.UserNamespace>, network = 0): cri.NamespaceOption {
  const usernsOptions = { mode: 0, uids: [RANGE], gids: [RANGE], ...users };
  return { network, pid: 0, ipc: 0, targetId: "", usernsOptions };
}

test("a sandbox has the users of the node unless it is given a range", () => {
  assert.equal(firstUserOf(undefined), undefined);
  assert.equal(firstUserOf({ network: 0, pid: 0, ipc: 0, targetId: "" }), undefined);
  assert.equal(firstUserOf(options({ mode: 2, uids: [], gids: [] })), undefined);
  assert.equal(firstUserOf(options({})), RANGE.hostId);
});

test("mappings that cannot be had are refused", () => {
  const refused: cri.NamespaceOption[] = [
    options({ mode: 1 }),
    options({}, 2),
    options({ uids: [] }),
    options({ uids: [RANGE, { ...RANGE, containerId: 65_536 }] }),
    options({ uids: [{ ...RANGE, length: 1000 }] }),
    options({ uids: [{ ...RANGE, hostId: 1000 }] }),
    options({ uids: [{ ...RANGE, hostId: 0 }], gids: [{ ...RANGE, hostId: 0 }] }),
    options({ gids: [{ ...RANGE, hostId: RANGE.hostId + 65_536 }] }),
  ];
  for (const each of refused) {
    assert.throws(() => firstUserOf(each), { code: "invalid-argument" }, JSON.stringify(each));
  }
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { defaultProfile } from "../../format/apparmor/default-profile.ts";
import { silentLogger } from "../../lib/logger.ts";
import { openAppArmor } from "./app-armor.ts";

const PARSER = "/sbin/apparmor_parser";
const security = { user: "0", allowPrivilegeEscalation: false, seccomp: "unconfined" };

/** A host whose parser keeps what it is given, and ends as told. */
function hostWith(t: TestContext, { enabled, code }: { enabled: string; code: number }) {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-apparmor-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const [enabledFile, parser, loaded] = ["enabled", "parser", "loaded"].map((name) =>
    path.join(directory, name),
  ) as [string, string, string];
  writeFileSync(enabledFile, enabled);
  writeFileSync(parser, `#!/bin/sh\ncat >> ${loaded}; echo words >&2; exit ${code}\n`, {
    mode: 0o755,
  });
  return { loaded, appArmor: openAppArmor(silentLogger, { enabledFile, parser }) };
}

test("containers have the node's profile, loaded once, unless they ask for another one", async (t) => {
  const { appArmor, loaded } = hostWith(t, { enabled: "Y\n", code: 0 });
  assert.equal(await appArmor.choose({ ...security, appArmorProfile: "strict" }), "strict");
  assert.equal(await appArmor.choose({ ...security, appArmorProfile: "unconfined" }), "unconfined");
  assert.equal(await appArmor.choose({ ...security, privileged: true }), undefined);
  assert.equal(existsSync(loaded), false);
  const asked = { ...security, appArmorProfile: "runtime-default" };
  const chosen = await Promise.all([security, asked].map((one) => appArmor.choose(one)));
  assert.deepEqual(chosen, ["nephos-default", "nephos-default"]);
  assert.equal(readFileSync(loaded, "utf8"), defaultProfile());
});

test("a profile that cannot be loaded fails who asked for it, and no other", async (t) => {
  const { appArmor } = hostWith(t, { enabled: "Y\n", code: 3 });
  assert.equal(await appArmor.choose(security), undefined);
  await assert.rejects(appArmor.choose({ ...security, appArmorProfile: "runtime-default" }), {
    message: /Cannot enforce .* RuntimeDefault: .* ended with 3: words: install the package/,
  });
});

test("without AppArmor there are no profiles", async (t) => {
  const { appArmor } = hostWith(t, { enabled: "N\n", code: 0 });
  assert.equal(await appArmor.choose({ ...security, appArmorProfile: "strict" }), undefined);
});

test("the parser of AppArmor understands the profile", {
  skip: existsSync(PARSER) ? false : "needs the package apparmor",
}, () => {
  const options = ["--config-file", "/dev/null", "--skip-kernel-load", "--skip-cache"];
  const { status, stderr } = spawnSync(PARSER, options, {
    input: defaultProfile(),
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
});

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { judgeSettings } from "./judge-settings.ts";
import { parseUpOptions } from "./options.ts";

const POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n";

test("what cannot start is said before anything is made", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-judged-"));
  const fileOf = (text: string) => {
    const file = path.join(directory, "settings.yaml");
    writeFileSync(file, text);
    return file;
  };
  const judge = (...args: string[]) => {
    const dataDirectory = path.join(directory, "data");
    judgeSettings(parseUpOptions(["--data-dir", dataDirectory, ...args]));
  };
  const flagsWithFiles = ["audit-policy", "scheduler-config", "agent-config"];
  const also = ["authentication-config", "encryption-provider-config", "tracing-config-file"];
  const files = [...flagsWithFiles, ...also].map((name) => `--${name}`);
  try {
    for (const flag of files) {
      for (const text of ["a: [", "a: 1\na: 2\n", "[]", "apiVersion: v1\nkind: Pod\n"]) {
        const wanted = new RegExp(`^${flag} ".*settings.yaml": .+; see "nephos help"$`);
        assert.throws(() => judge(flag, fileOf(text)), { message: wanted, exitCode: 2 });
      }
      assert.throws(() => judge(flag, path.join(directory, "absent")), /ENOENT/);
    }
    assert.throws(() => judge("--audit-policy", fileOf(`${POLICY}more: 1\n`)), /more is no field/);
    judge("--audit-policy", fileOf(POLICY));
    assert.deepEqual(readdirSync(directory), ["settings.yaml"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("addresses and names that cannot be used are said with their flag", () => {
  const judge = (...args: string[]) =>
    judgeSettings(parseUpOptions(["--data-dir", "/nowhere/nephos", ...args]));
  const cases: [string[], RegExp][] = [
    [["--cluster-cidr", "wide"], /^--cluster-cidr: "wide" is not an IPv4 range/],
    [["--cluster-cidr", "10.0.0.0/28"], /^--cluster-cidr must be \/22 or larger/],
    [["--service-cidr", "10.0.0.0/30"], /^--service-cidr must be \/24 or larger/],
    [["--service-cidr", "10.0.0.0/8"], /^--service-cidr and --cluster-cidr share addresses/],
    [["--load-balancer", "10.96.4.0/24"], /^--service-cidr and --load-balancer share/],
    [["--cluster-domain", "Bad domain"], /^--cluster-domain must be a DNS name/],
    [["--ingress", "80,6443"], /^--ingress and --listen cannot both take port 6443/],
    [["down"], /^"down" says nothing here/],
  ];
  for (const [args, message] of cases) {
    assert.throws(() => judge(...args), { message, exitCode: 2 }, args.join(" "));
  }
  judge("--load-balancer", "192.0.2.128/25", "--cluster-domain", "cluster.example");
});

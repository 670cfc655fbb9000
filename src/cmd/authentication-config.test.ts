import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { silentLogger } from "../lib/logger.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { openIssuers } from "./authentication-config.ts";

const configuration = (url: string): string => `
apiVersion: apiserver.config.k8s.io/v1beta1
kind: AuthenticationConfiguration
jwt:
  - issuer: { url: "${url}", audiences: [kubernetes] }
    claimMappings: { username: { claim: sub, prefix: "" } }
`;

test("a changed file counts from when it is seen, a broken one does not", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-issuers-"));
  try {
    const file = path.join(directory, "authentication.yaml");
    const clock = new VirtualClock(0);
    const options = { file, flags: undefined, clock, logger: silentLogger };
    assert.throws(() => openIssuers(options), /no such file/);
    writeFileSync(file, configuration("https://one.example.com"));
    using issuers = openIssuers(options);
    let urls: string[] = [];
    issuers.follow((settings) => {
      urls = settings.issuers.map(({ url }) => url);
    });
    assert.deepEqual(urls, ["https://one.example.com"]);
    writeFileSync(file, configuration("https://two.example.com"));
    await clock.advance(60_000);
    assert.deepEqual(urls, ["https://two.example.com"]);
    writeFileSync(file, configuration("ftp://three.example.com"));
    await clock.advance(60_000);
    assert.deepEqual(urls, ["https://two.example.com"]);
    const [reloads] = issuers.metrics();
    assert.deepEqual(reloads?.samples, [
      { labels: { status: "success" }, value: 1 },
      { labels: { status: "failure" }, value: 1 },
    ]);
    const flags = { issuerUrl: "https://x.example.com", clientId: "kubernetes" };
    assert.throws(() => openIssuers({ ...options, flags }), /exclude each other/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

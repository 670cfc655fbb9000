import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import {
  createNetworkNamespace,
  removeNetworkNamespace,
  withinNetworkNamespace,
} from "../network-namespace.ts";
import { openNftables } from "./nftables.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";

test("a transaction applies whole or not at all", { skip }, () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-nft-"));
  const namespace = path.join(directory, "net");
  createNetworkNamespace(namespace);
  try {
    withinNetworkNamespace(namespace, () => {
      using nft = openNftables();
      nft.apply("add table ip probe");
      assert.match(nft.query("list tables"), /table ip probe/);
      assert.throws(() => nft.apply("add table ip other\nadd rule ip absent c accept"), {
        name: "NftError",
        message: /No such file or directory/,
      });
      assert.doesNotMatch(nft.query("list tables"), /other/);
    });
  } finally {
    removeNetworkNamespace(namespace);
    rmSync(directory, { recursive: true });
  }
});

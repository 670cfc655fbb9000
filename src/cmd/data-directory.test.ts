import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_DATA_DIRECTORY, openDataDirectory } from "./data-directory.ts";

test("logs lie where all look for them on the first node of the usual data directory alone", () => {
  const placeOf = (root: string, index: number) =>
    openDataDirectory(root, { create: false }).node(index).podLogs;
  assert.equal(placeOf(DEFAULT_DATA_DIRECTORY, 0), "/var/log/pods");
  assert.equal(placeOf(`${DEFAULT_DATA_DIRECTORY}/`, 0), "/var/log/pods");
  assert.equal(placeOf(DEFAULT_DATA_DIRECTORY, 1), undefined);
  assert.equal(placeOf(`${DEFAULT_DATA_DIRECTORY}/other`, 0), undefined);
});

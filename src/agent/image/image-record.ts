import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import type { Random } from "../../lib/random.ts";
import type { ImageConfig, LocalImage } from "./contract.ts";
import type { ImageFailpoint } from "./failpoints.ts";

/** What is kept of an image, in `images/<id>.json`. */
export interface ImageRecord {
  /** Digest of the configuration. */
  id: string;
  /** In normal form. */
  references: readonly string[];
  /** Digests of the manifests and indexes that led to it. */
  digests: readonly string[];
  /** "registry/repository@sha256:..." as registries gave it, the last one first. */
  repoDigests?: readonly string[];
  /** Those of `references` that a registry was asked for; the others were imported. */
  pulled?: readonly string[];
  sizeBytes: number;
  config: ImageConfig;
  /** Digests of the uncompressed layers, lowest first. */
  diffIds: readonly string[];
}

/** Where the unpacked layer is. */
export function layerDirectory(directory: string, diffId: string): string {
  return path.join(directory, "layers", diffId.replace("sha256:", ""), "fs");
}

/** The image as others see it. */
export function toLocalImage(directory: string, record: ImageRecord): LocalImage {
  return {
    id: record.id,
    references: record.references,
    ...(record.repoDigests?.length && { repoDigests: record.repoDigests }),
    sizeBytes: record.sizeBytes,
    config: record.config,
    layerPaths: record.diffIds.map((diffId) => layerDirectory(directory, diffId)),
  };
}

/** Reads all records; one that a crash or a hand damaged is left out. */
export function readRecords(directory: string): Map<string, ImageRecord> {
  const folder = path.join(directory, "images");
  const records = new Map<string, ImageRecord>();
  for (const name of readdirSync(folder)) {
    try {
      const text = readFileSync(path.join(folder, name), "utf8");
      const record = JSON.parse(text) as ImageRecord;
      if (name === `${record.id.slice(7)}.json`) records.set(record.id, record);
    } catch {
      continue;
    }
  }
  return records;
}

/** Replaces a record durably. */
export async function writeRecord(
  directory: string,
  record: ImageRecord,
  { random, failpoint }: { random: Random; failpoint: ImageFailpoint },
): Promise<void> {
  const target = path.join(directory, "images", `${record.id.slice(7)}.json`);
  const temporary = path.join(directory, "tmp", temporaryName(random));
  try {
    const fd = openSync(temporary, "wx", 0o600);
    try {
      writeSync(fd, JSON.stringify(record));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    failpoint("record-written");
    renameSync(temporary, target);
    failpoint("record-kept");
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** A name that no other import uses. */
export function temporaryName(random: Random): string {
  return Buffer.from(random.bytes(12)).toString("hex");
}

// The process of stalling-mount-fixture.ts: a FUSE daemon whose file system holds an empty directory
// ("directory") and a file ("file"). Source: fuse(4) and the kernel's include/uapi/linux/fuse.h.
import { constants, openSync, read, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { mount } from "./mount.ts";

const OPERATION = {
  lookup: 1,
  forget: 2,
  getAttributes: 3,
  open: 14,
  statfs: 17,
  init: 26,
  openDirectory: 27,
  readDirectory: 28,
  interrupt: 36,
  forgetMany: 42,
} as const;
const UNANSWERED: ReadonlySet<number> = new Set([
  OPERATION.forget,
  OPERATION.interrupt,
  OPERATION.forgetMany,
]);
const REQUEST_HEADER_BYTES = 40;
const ANSWER_HEADER_BYTES = 16;
const REQUEST_MAX_BYTES = 1 << 20;
const [ENOENT, ENOSYS] = [2, 38];
const [ROOT, FILE] = [1n, 3n];
const NODES: ReadonlyMap<string, bigint> = new Map([
  ["directory", 2n],
  ["file", FILE],
]);

interface Request {
  operation: number;
  unique: bigint;
  node: bigint;
  body: Buffer;
}

function attributes(node: bigint): Buffer {
  const bytes = Buffer.alloc(88);
  const isFile = node === FILE;
  bytes.writeBigUInt64LE(node, 0);
  bytes.writeUInt32LE(isFile ? 0o100644 : 0o040777, 60);
  bytes.writeUInt32LE(isFile ? 1 : 2, 64);
  bytes.writeUInt32LE(4096, 80);
  return bytes;
}

/** The kernel keeps none of it: it asks each time. */
function entry(node: bigint): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.writeBigUInt64LE(node, 0);
  return Buffer.concat([bytes, attributes(node)]);
}

function initial(): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32LE(7, 0);
  bytes.writeUInt32LE(31, 4);
  bytes.writeUInt32LE(4096, 20); // the largest write
  return bytes;
}

function statfs(): Buffer {
  const bytes = Buffer.alloc(80);
  bytes.writeUInt32LE(4096, 40);
  bytes.writeUInt32LE(255, 44);
  return bytes;
}

function answerTo({ operation, node, body }: Request): Buffer | number {
  switch (operation) {
    case OPERATION.init:
      return initial();
    case OPERATION.getAttributes:
      return Buffer.concat([Buffer.alloc(16), attributes(node)]);
    case OPERATION.lookup: {
      const found = NODES.get(body.toString("utf8", 0, body.indexOf(0)));
      return found === undefined || node !== ROOT ? ENOENT : entry(found);
    }
    case OPERATION.statfs:
      return statfs();
    case OPERATION.open:
    case OPERATION.openDirectory:
      return Buffer.alloc(16);
    case OPERATION.readDirectory:
      return Buffer.alloc(0);
    default:
      return ENOSYS;
  }
}

function serve(fd: number): void {
  let stalls = false;
  const held: Request[] = [];
  const answer = (request: Request) => {
    if (UNANSWERED.has(request.operation)) return;
    const found = answerTo(request);
    const body = typeof found === "number" ? Buffer.alloc(0) : found;
    const header = Buffer.alloc(ANSWER_HEADER_BYTES);
    header.writeUInt32LE(ANSWER_HEADER_BYTES + body.length, 0);
    header.writeInt32LE(typeof found === "number" ? -found : 0, 4);
    header.writeBigUInt64LE(request.unique, 8);
    try {
      writeSync(fd, Buffer.concat([header, body]));
    } catch (error) {
      // Whoever asked was killed meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  };
  const take = () => {
    const buffer = Buffer.alloc(REQUEST_MAX_BYTES);
    read(fd, buffer, 0, buffer.length, null, (error, length) => {
      if (error?.code === "ENODEV") process.exit(0); // unmounted
      if (!error) {
        const request = {
          operation: buffer.readUInt32LE(4),
          unique: buffer.readBigUInt64LE(8),
          node: buffer.readBigUInt64LE(16),
          body: buffer.subarray(REQUEST_HEADER_BYTES, length),
        };
        if (stalls) held.push(request);
        else answer(request);
      }
      take();
    });
  };
  take();
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    stalls = line === "stall";
    if (!stalls) for (const request of held.splice(0)) answer(request);
    writeSync(1, `${line}\n`);
  });
  // Without its owner it ends; the kernel then fails what still waits for an answer.
  lines.on("close", () => process.kill(process.pid, "SIGKILL"));
}

const [, , target = ""] = process.argv;
const device = openSync("/dev/fuse", constants.O_RDWR);
const data = `fd=${device},rootmode=40000,user_id=0,group_id=0,allow_other`;
mount({ source: "stalling", target, type: "fuse.stalling", data });
serve(device);
writeSync(1, "mounted\n");

import assert from "node:assert/strict";
import { closeSync, fstatSync, readSync, writeSync } from "node:fs";
import { test } from "node:test";
import {
  borrowDescriptors,
  connectToName,
  finishSending,
  listenOnName,
  openSocketPair,
  openStreamSocket,
  sendDescriptors,
} from "./control-socket.ts";
import { makePipe } from "./file.ts";

test("a name without a file takes connections while somebody listens, else refuses", () => {
  const name = `nephos-${process.pid}`;
  const [fd, other] = [openStreamSocket(), openStreamSocket()];
  try {
    assert.throws(() => connectToName(fd, name), { code: "ECONNREFUSED" });
    const listening = listenOnName(name);
    assert.throws(() => listenOnName(name), { code: "EADDRINUSE" });
    connectToName(fd, name);
    closeSync(listening);
    assert.throws(() => connectToName(other, name), { code: "ECONNREFUSED" });
  } finally {
    for (const each of [fd, other]) closeSync(each);
  }
});

test("descriptors go along with the first byte, and what is sent has an end", () => {
  const [near, far] = openSocketPair();
  const { readFd, writeFd } = makePipe();
  try {
    sendDescriptors(near, Buffer.from("all of it"), [readFd, writeFd]);
    finishSending(near);
    const answer = Buffer.alloc(32);
    assert.equal(answer.toString("utf8", 0, readSync(far, answer)), "all of it");
    assert.equal(readSync(far, answer), 0);
    assert.throws(() => sendDescriptors(near, Buffer.from("more"), []), { code: "EPIPE" });
  } finally {
    for (const fd of [near, far, readFd, writeFd]) closeSync(fd);
  }
});

test("a descriptor of a process gets another name", () => {
  const { readFd, writeFd } = makePipe();
  const [copy = -1] = borrowDescriptors(process.pid, [writeFd]);
  try {
    assert.equal(fstatSync(copy).ino, fstatSync(writeFd).ino);
    writeSync(copy, "x");
    assert.equal(readSync(readFd, Buffer.alloc(8)), 1);
    assert.throws(() => borrowDescriptors(process.pid, [readFd, 1 << 20]), { code: "EBADF" });
  } finally {
    for (const fd of [readFd, writeFd, copy]) closeSync(fd);
  }
});

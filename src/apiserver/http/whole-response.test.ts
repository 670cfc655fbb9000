import assert from "node:assert/strict";
import type { TLSSocket } from "node:tls";
import { test } from "node:test";
import { WholeResponse } from "./whole-response.ts";

function answer(value: string): string {
  let written = "";
  const socket = {
    writable: true,
    write: (bytes: Buffer) => (written += bytes.toString("latin1")),
  };
  const response = new WholeResponse(socket as unknown as TLSSocket, {
    lines: () => "Date: now\r\n",
    safe: new Map(),
  });
  response.writeHead(200, ["Warning", value, "Content-Length", "2"]);
  response.end(Buffer.from("{}"));
  return written;
}

test("head and body are one write", () => {
  const head = 'HTTP/1.1 200 OK\r\nWarning: 299 - "é"\r\nContent-Length: 2\r\nDate: now\r\n\r\n';
  assert.equal(answer('299 - "é"'), `${head}{}`);
});

test("no header says more than one line can", () => {
  for (const bad of ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\u0000", "a\u007f", "\u2028"]) {
    const error = { name: "TypeError", message: 'Invalid character in header "Warning"' };
    assert.throws(() => answer(bad), error, JSON.stringify(bad));
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readWhole } from "./whole-request.ts";

const POST = "POST /api/v1/namespaces/a/pods HTTP/1.1\r\nHost: h\r\n";

function read(text: string) {
  return readWhole(Buffer.from(text, "latin1"), undefined);
}

test("a whole plain request is read", () => {
  const message = read(`${POST}X-One: a, b\r\nContent-Length: 2\r\n\r\n{}`);
  assert.ok(typeof message === "object");
  const { method, url, head, body } = message;
  assert.deepEqual([method, url], ["POST", "/api/v1/namespaces/a/pods"]);
  assert.deepEqual(head.headers, { host: "h", "x-one": "a, b", "content-length": "2" });
  assert.deepEqual(head.rawHeaders, ["Host", "h", "X-One", "a, b", "Content-Length", "2"]);
  assert.equal(Buffer.from(body).toString(), "{}");
});

test("the head of the request before is used again only for the same text", () => {
  const first = read(`${POST}Content-Length: 2\r\n\r\n{}`);
  assert.ok(typeof first === "object");
  const again = (text: string) => readWhole(Buffer.from(text), first.head);
  const same = again(`GET /b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n[]`);
  assert.ok(typeof same === "object");
  assert.equal(same.head, first.head);
  const other = again(`GET /b HTTP/1.1\r\nHost: i\r\n\r\n`);
  assert.ok(typeof other === "object");
  assert.deepEqual(other.head.headers, { host: "i" });
});

test("a request whose body is not all there is waited for", () => {
  assert.equal(read(`${POST}Content-Length: 3\r\n\r\n{}`), "partial");
});

test("whatever is less, more, unusual or wrong is left to the parser of all of HTTP", () => {
  const get = (lines: string, first = "GET /a HTTP/1.1") => `${first}\r\n${lines}\r\n\r\n`;
  const cases: Record<string, string> = {
    nothing: "",
    "a head without its end": POST,
    "a second request": `${get("Host: h")}${get("Host: h")}`,
    "bytes beyond the body": `${POST}Content-Length: 1\r\n\r\n{}`,
    "an empty line before": `\r\n${get("Host: h")}`,
    "a line feed alone": "GET /a HTTP/1.1\nHost: h\n\n",
    "a method unheard of": get("Host: h", "REPORT /a HTTP/1.1"),
    "a method in lower case": get("Host: h", "get /a HTTP/1.1"),
    "HTTP/1.0": get("Host: h", "GET /a HTTP/1.0"),
    "no protocol": get("Host: h", "GET /a"),
    "an absolute URL": get("Host: h", "GET http://h/a HTTP/1.1"),
    "a fragment": get("Host: h", "GET /a#b HTTP/1.1"),
    "a space in the path": get("Host: h", "GET /a b HTTP/1.1"),
    "a byte beyond ASCII in the path": get("Host: h", "GET /ä HTTP/1.1"),
    "no host": get("Accept: a"),
    "a header twice": get("Host: h\r\nImpersonate-Group: a\r\nimpersonate-group: b"),
    "two sizes": get("Host: h\r\nContent-Length: 0\r\nContent-Length: 0"),
    "a folded header": get("Host: h\r\nAccept: a\r\n b"),
    "a space before the colon": get("Host: h\r\nContent-Length : 0"),
    "a space after the value": get("Host: h\r\nContent-Length: 0 "),
    "no space before the value": get("Host:h"),
    "no value": get("Host: h\r\nAccept: "),
    "a bare carriage return in a value": get("Host: h\r\nAccept: a\rb"),
    "a control character in a value": get("Host: h\r\nAccept: a\u0000b"),
    "a byte beyond ASCII in a value": get("Host: h\r\nAccept: ä"),
    "an underscore in a name": get("Host: h\r\n__proto__: a"),
    "a body in chunks": get("Host: h\r\nTransfer-Encoding: chunked"),
    "both sizes and chunks": get("Host: h\r\nContent-Length: 0\r\nTransfer-Encoding: chunked"),
    "an upgrade": get("Host: h\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1"),
    "the last of its connection": get("Host: h\r\nConnection: close"),
    "an expectation": get("Host: h\r\nExpect: 100-continue"),
    "a size with a sign": get("Host: h\r\nContent-Length: +0"),
    "a size in hexadecimal": get("Host: h\r\nContent-Length: 0x0"),
    "a long body": get("Host: h\r\nContent-Length: 100000"),
    "a long head": get(`Host: h\r\nAccept: ${"a".repeat(5_000)}`),
  };
  for (const [what, text] of Object.entries(cases)) assert.equal(read(text), undefined, what);
});

test("no bytes are taken for a request that does not account for each of them", () => {
  const first = ["GET ", "POST ", "/a", " HTTP/1.1", "\r\n", "\n", "\r", "Host: h", ":", " "];
  const rest = ["Content-Length: 1", "Content-Length: 0", "{", "Transfer-Encoding: chunked"];
  const piece = fc.constantFrom(...first, "\r\n\r\n", ...rest);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join("");
      const message = read(text);
      if (typeof message !== "object") return;
      const { method, url, head, body } = message;
      const lines: string[] = [];
      for (let at = 0; at < head.rawHeaders.length; at += 2) {
        lines.push(`${head.rawHeaders[at]}: ${head.rawHeaders[at + 1]}\r\n`);
      }
      const whole = `${method} ${url} HTTP/1.1\r\n${lines.join("")}\r\n${Buffer.from(body)}`;
      assert.equal(whole, text);
      assert.equal(body.byteLength, head.bodyBytes);
    }),
  );
});

/** Record types that a cluster answers for (RFC 1035, 2782, 3596, 6891). */
export const DNS_TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  ANY: 255,
} as const;

/** Response codes. */
export const DNS_CODE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;

/** One question, its name in lower case without the final dot. */
export interface DnsQuestion {
  name: string;
  type: number;
}

/** A decoded query. */
export interface DnsQuery {
  id: number;
  opcode: number;
  recursionDesired: boolean;
  question: DnsQuestion;
  /** The question section as received: names are echoed in the client's spelling. */
  questionBytes: Uint8Array;
  /** UDP size that the client accepts: 512, or what its OPT record says. */
  sizeMaxBytes: number;
  hasOpt: boolean;
}

/** A record to send; names without the final dot. */
export type DnsRecord = { name: string; ttlSeconds: number } & DnsData;

/** Type and data of a record. */
export type DnsData =
  | { type: "A"; ip: string }
  | { type: "CNAME" | "PTR" | "NS"; target: string }
  | { type: "TXT"; text: string }
  | { type: "SRV"; port: number; target: string; priority: number; weight: number }
  | { type: "SOA"; primary: string; mailbox: string; serial: number; minimumSeconds: number };

/** What to answer. */
export interface DnsReply {
  code: number;
  authoritative: boolean;
  answers: readonly DnsRecord[];
  authority?: readonly DnsRecord[];
  additional?: readonly DnsRecord[];
}

const HEADER_BYTES = 12;
const NAME_BYTES_MAX = 255;
/** A name of the most labels needs no more; a chain of pointers could be as long as its packet. */
const POINTERS_MAX = 127;

/** A packet that is not a query as RFC 1035 wants it. */
export class DnsFormatError extends Error {
  override name = "DnsFormatError";
}

/** Reads a name at `at`; compression pointers may only point back. */
function readName(bytes: Uint8Array, at: number): { name: string; next: number } {
  const labels: string[] = [];
  let next = -1;
  let position = at;
  let total = 0;
  let pointers = 0;
  for (;;) {
    const length = bytes[position];
    if (length === undefined) throw new DnsFormatError("name runs past the packet");
    if (length >= 0xc0) {
      const target = ((length & 0x3f) << 8) | (bytes[position + 1] ?? 0);
      if (target >= position) throw new DnsFormatError("compression pointer does not point back");
      if (++pointers > POINTERS_MAX) throw new DnsFormatError("name has too many pointers");
      if (next < 0) next = position + 2;
      position = target;
      continue;
    }
    if (length > 63) throw new DnsFormatError("label is longer than 63 bytes");
    if (length === 0) break;
    total += length + 1;
    if (total > NAME_BYTES_MAX) throw new DnsFormatError("name is longer than 255 bytes");
    const label = bytes.subarray(position + 1, position + 1 + length);
    if (label.length < length) throw new DnsFormatError("label runs past the packet");
    labels.push(String.fromCharCode(...label));
    position += length + 1;
  }
  return { name: labels.join(".").toLowerCase(), next: next < 0 ? position + 1 : next };
}

/** Decodes a query with one question. @throws DnsFormatError */
export function decodeQuery(bytes: Uint8Array): DnsQuery {
  if (bytes.length < HEADER_BYTES) throw new DnsFormatError("packet is shorter than a header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if (flags & 0x8000) throw new DnsFormatError("packet is a response");
  if (view.getUint16(4) !== 1) throw new DnsFormatError("packet has not one question");
  const { name, next } = readName(bytes, HEADER_BYTES);
  if (next + 4 > bytes.length) throw new DnsFormatError("question runs past the packet");
  const opt = findOpt(bytes, view, next + 4);
  return {
    id: view.getUint16(0),
    opcode: (flags >> 11) & 15,
    recursionDesired: (flags & 0x100) !== 0,
    question: { name, type: view.getUint16(next) },
    questionBytes: bytes.slice(HEADER_BYTES, next + 4),
    sizeMaxBytes: Math.max(512, opt ?? 512),
    hasOpt: opt !== undefined,
  };
}

function findOpt(bytes: Uint8Array, view: DataView, start: number): number | undefined {
  let at = start;
  let records = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  while (records-- > 0 && at < bytes.length) {
    at = readName(bytes, at).next;
    if (at + 10 > bytes.length) throw new DnsFormatError("record runs past the packet");
    if (view.getUint16(at) === DNS_TYPE.OPT) return view.getUint16(at + 2);
    at += 10 + view.getUint16(at + 8);
  }
  return undefined;
}

/** A recursive query for `name`, to send upstream. */
export function encodeQuery(question: DnsQuestion, id: number): Uint8Array {
  const writer = new PacketWriter();
  for (const value of [id, 0x100, 1, 0, 0, 0]) writer.u16(value);
  writer.name(question.name);
  writer.u16(question.type);
  writer.u16(1);
  return Uint8Array.from(writer.bytes);
}

/** The A and CNAME records of a reply's answer section. @throws DnsFormatError */
export function decodeAnswers(bytes: Uint8Array): DnsRecord[] {
  if (bytes.length < HEADER_BYTES) throw new DnsFormatError("packet is shorter than a header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = HEADER_BYTES;
  for (let left = view.getUint16(4); left > 0; left--) at = readName(bytes, at).next + 4;
  const records: DnsRecord[] = [];
  for (let left = view.getUint16(6); left > 0; left--) {
    const { name, next } = readName(bytes, at);
    if (next + 10 > bytes.length) throw new DnsFormatError("record runs past the packet");
    const type = view.getUint16(next);
    const length = view.getUint16(next + 8);
    const record = { name, ttlSeconds: view.getUint32(next + 4) };
    at = next + 10 + length;
    if (at > bytes.length) throw new DnsFormatError("record runs past the packet");
    if (type === DNS_TYPE.A && length === 4) {
      records.push({ ...record, type: "A", ip: bytes.subarray(next + 10, at).join(".") });
    } else if (type === DNS_TYPE.CNAME) {
      records.push({ ...record, type: "CNAME", target: readName(bytes, next + 10).name });
    }
  }
  return records;
}

/** Appends big-endian numbers and compressed names. */
class PacketWriter {
  readonly bytes: number[] = [];
  readonly #offsets = new Map<string, number>();

  u16(value: number): void {
    this.bytes.push((value >> 8) & 255, value & 255);
  }

  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }

  /** The target of a service alone must stand whole (RFC 2782): resolvers refuse it otherwise. */
  wholeName(name: string): void {
    for (const label of name.split(".").filter(Boolean)) this.#label(label);
    this.bytes.push(0);
  }

  name(name: string): void {
    let rest = name;
    while (rest) {
      const known = this.#offsets.get(rest.toLowerCase());
      if (known !== undefined) return this.u16(0xc000 | known);
      if (this.bytes.length < 0x4000) this.#offsets.set(rest.toLowerCase(), this.bytes.length);
      const dot = rest.indexOf(".");
      const label = dot < 0 ? rest : rest.slice(0, dot);
      this.#label(label);
      rest = dot < 0 ? "" : rest.slice(dot + 1);
    }
    this.bytes.push(0);
  }

  #label(label: string): void {
    this.bytes.push(label.length, ...Buffer.from(label, "latin1"));
  }

  record(record: DnsRecord): void {
    this.name(record.name);
    this.u16(DNS_TYPE[record.type]);
    this.u16(1);
    this.u32(record.ttlSeconds);
    const lengthAt = this.bytes.length;
    this.u16(0);
    this.#data(record);
    const length = this.bytes.length - lengthAt - 2;
    this.bytes[lengthAt] = length >> 8;
    this.bytes[lengthAt + 1] = length & 255;
  }

  #data(data: DnsData): void {
    switch (data.type) {
      case "A":
        this.bytes.push(...data.ip.split(".").map(Number));
        return;
      case "CNAME":
      case "PTR":
      case "NS":
        return this.name(data.target);
      case "TXT":
        this.bytes.push(data.text.length, ...Buffer.from(data.text, "latin1"));
        return;
      case "SRV":
        this.u16(data.priority);
        this.u16(data.weight);
        this.u16(data.port);
        return this.wholeName(data.target);
      case "SOA":
        this.name(data.primary);
        this.name(data.mailbox);
        for (const value of [data.serial, 7200, 1800, 86_400, data.minimumSeconds]) this.u32(value);
    }
  }
}

/** Encodes a reply; when it exceeds `sizeMaxBytes` it is cut to the question with TC set. */
export function encodeReply(query: DnsQuery, reply: DnsReply, sizeMaxBytes: number): Uint8Array {
  const bytes = encodeSections(query, reply, false);
  if (bytes.length <= sizeMaxBytes) return bytes;
  return encodeSections(query, { ...reply, answers: [], authority: [], additional: [] }, true);
}

function encodeSections(query: DnsQuery, reply: DnsReply, truncated: boolean): Uint8Array {
  const writer = new PacketWriter();
  const { answers, authority = [], additional = [] } = reply;
  writer.u16(query.id);
  writer.u16(
    0x8080 | // response, recursion available
      (query.opcode << 11) |
      (reply.authoritative ? 0x400 : 0) |
      (truncated ? 0x200 : 0) |
      (query.recursionDesired ? 0x100 : 0) |
      reply.code,
  );
  writer.u16(1);
  writer.u16(answers.length);
  writer.u16(authority.length);
  writer.u16(additional.length + (query.hasOpt ? 1 : 0));
  writer.bytes.push(...query.questionBytes);
  for (const record of [...answers, ...authority, ...additional]) writer.record(record);
  if (query.hasOpt) {
    writer.bytes.push(0);
    writer.u16(DNS_TYPE.OPT);
    writer.u16(1232);
    writer.u32(0);
    writer.u16(0);
  }
  return Uint8Array.from(writer.bytes);
}

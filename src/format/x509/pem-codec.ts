/** RFC 7468 text of DER bytes; `label` is such as "CERTIFICATE". */
export function encodePem(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString("base64");
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** A block of RFC 7468 text; RFC 1421 lets headers stand before its bytes. */
export interface PemBlock {
  label: string;
  headers: boolean;
  bytes: Uint8Array;
}

/** Every block, whatever it is called; what is no base64 is no block. */
export function pemBlocks(text: string): PemBlock[] {
  const pattern = /-----BEGIN ([^\n]*?)-----\r?\n([^]*?)-----END \1-----/g;
  return Array.from(text.matchAll(pattern)).flatMap(([, label = "", body = ""]) => {
    const lines = body.split(/\r?\n/);
    const headers = lines.some((line) => line.includes(":"));
    const base64 = lines.filter((line) => !line.includes(":")).join("");
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return [];
    return [{ label, headers, bytes: Buffer.from(base64, "base64") }];
  });
}

/** Every block of that label, in order; text around the blocks is skipped. */
export function decodePem(label: string, text: string): Uint8Array[] {
  const pattern = new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`, "g");
  return Array.from(text.matchAll(pattern), ([, body = ""]) => Buffer.from(body, "base64"));
}

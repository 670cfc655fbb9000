/** RFC 7468 text of DER bytes; `label` is such as "CERTIFICATE". */
export function encodePem(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString("base64");
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** Every block of that label, in order; text around the blocks is skipped. */
export function decodePem(label: string, text: string): Uint8Array[] {
  const pattern = new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`, "g");
  return Array.from(text.matchAll(pattern), ([, body = ""]) => Buffer.from(body, "base64"));
}

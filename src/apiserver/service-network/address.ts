/** An IPv4 address as a number. @throws RangeError */
export function parseIpv4(text: string): number {
  const parts = text.split(".");
  let number = 0;
  for (const part of parts) {
    const octet = /^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256;
    if (parts.length !== 4 || octet > 255) throw new RangeError(`"${text}" is no IPv4 address`);
    number = number * 256 + octet;
  }
  return number;
}

export function formatIpv4(address: number): string {
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
  return octets.join(".");
}

/** First address and size of "10.96.0.0/16". @throws RangeError */
export function parseCidr(text: string): { first: number; size: number } {
  const [address = "", bits = ""] = text.split("/");
  const prefix = /^\d{1,2}$/.test(bits) ? Number(bits) : -1;
  if (prefix < 8 || prefix > 30) {
    throw new RangeError(`Cannot use "${text}" for services: the prefix must be 8 to 30 bits long`);
  }
  const size = 2 ** (32 - prefix);
  const number = parseIpv4(address);
  return { first: number - (number % size), size };
}

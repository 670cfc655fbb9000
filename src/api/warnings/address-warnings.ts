/** Warns of an IPv6 address that is not written as RFC 5952 has it. */
export function addressWarnings(path: string, address: string): string[] {
  const canonical = canonicalAddress(address);
  if (canonical === address) return [];
  return [`${path}: IPv6 address "${address}" ${notCanonical(canonical)}`];
}

/** Warns of a network with space around it, and of one whose address is not as RFC 5952 has it. */
export function rangeWarnings(path: string, range: string): string[] {
  const complaint = spaceComplaint(range);
  if (complaint) {
    const what = "IP prefix was accepted, but will be invalid in a future Kubernetes release";
    return [`${path}: ${what}: netip.ParsePrefix("${range}"): ${complaint}`];
  }
  const [address = "", bits] = range.split("/");
  const canonical = canonicalAddress(address);
  if (canonical === address) return [];
  return [`${path}: IPv6 prefix "${range}" ${notCanonical(`${canonical}/${bits}`)}`];
}

function notCanonical(canonical: string): string {
  return (
    `is not in RFC 5952 canonical format ("${canonical}"), ` +
    "which may cause controller apply-loops"
  );
}

/** What Go's parser of networks says of space. */
function spaceComplaint(range: string): string | undefined {
  const slash = range.lastIndexOf("/");
  const [address, bits] = [range.slice(0, slash), range.slice(slash + 1)];
  if (address !== address.trim()) {
    const what = address.includes(":")
      ? "each colon-separated field must have at least one digit"
      : "unexpected character";
    return `ParseAddr("${address}"): ${what} (at "${address}")`;
  }
  return bits === bits.trim() ? undefined : `bad bits after slash: "${bits}"`;
}

/** An address as RFC 5952 writes it: in IPv4, within IPv6 too, and malformed ones as they are. */
function canonicalAddress(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const url = `http://[${address}]`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address;
}

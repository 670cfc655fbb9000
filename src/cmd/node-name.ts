/** Room for "-32": every node's name is a label value too, of at most 63 characters. */
const LENGTH_MAX = 60;

/**
 * Name of the first node: the host name as a DNS-1123 subdomain. What it may not hold becomes "-";
 * a name of which nothing is left becomes "node".
 */
export function nodeNameOf(hostname: string): string {
  const labels = hostname
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, "-")
    .slice(0, LENGTH_MAX)
    .split(".")
    .map((label) => label.replace(/^-+|-+$/g, ""))
    .filter((label) => label !== "");
  return labels.join(".") || "node";
}

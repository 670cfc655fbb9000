/** Beyond this many characters in all, warnings are cut short, then left out. */
const TOTAL_MAX = 4_096;
const SHORTENED_MAX = 256;

/**
 * `Warning` headers, flat (RFC 7234, with the code that Kubernetes uses), each text once. Clients
 * refuse answers with too large a head, and webhooks may say what they like.
 */
export function warningHeaders(warnings: readonly string[]): string[] {
  if (warnings.length === 0) return [];
  const texts = [...new Set(warnings)];
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  const headers: string[] = [];
  let used = 0;
  for (const text of texts) {
    const shown = total > TOTAL_MAX ? text.slice(0, SHORTENED_MAX) : text;
    used += shown.length;
    if (used > TOTAL_MAX) break;
    headers.push("Warning", `299 - "${escape(shown)}"`);
  }
  return headers;
}

function escape(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\uffff]/g, " ").replace(/["\\]/g, "\\$&");
}

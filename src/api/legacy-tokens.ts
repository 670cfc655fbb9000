/** When a token without end was last used: a day such as "2026-01-31". */
export const LAST_USED_LABEL = "kubernetes.io/legacy-token-last-used";
/** Since when it is refused, as nobody used it; without the label it counts again. */
export const INVALID_SINCE_LABEL = "kubernetes.io/legacy-token-invalid-since";
/** Tells in `data.since` from which day on the uses of such tokens are marked. */
export const TRACKING_MAP: { readonly name: string; readonly namespace: string } = {
  name: "kube-apiserver-legacy-service-account-token-tracking",
  namespace: "kube-system",
};

/** The day of a moment in UTC: "2026-01-31". */
export function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** The moment at which a day begins; `undefined` for what is no day. */
export function beginOf(day: string | undefined): number | undefined {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(day ?? "") ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

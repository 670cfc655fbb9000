import type { ExtenderTransport } from "../scheduler/extender/extender.ts";

/** Asks extenders over HTTP. */
export const extenderTransport: ExtenderTransport = async (url, body, { timeoutMs }) => {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  return response.json();
};

// Fetches what the golden tests read, unless it is there. Without a network those tests are skipped.
import { fetchSources } from "./sources.ts";

try {
  fetchSources();
} catch (error) {
  process.stderr.write(`cannot fetch the Kubernetes packages: ${String(error)}\n`);
}

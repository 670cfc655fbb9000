import type { ServerResponse } from "node:http";

/** The answers that are being made, so that a server that stops can let them finish. */
export class OpenResponses {
  readonly #open = new Set<ServerResponse>();
  #closed: (() => void) | undefined;

  /** Until it is closed or `delete`d. */
  add(response: ServerResponse): void {
    this.#open.add(response);
    response.once("close", () => this.delete(response));
  }

  delete(response: ServerResponse): void {
    this.#open.delete(response);
    if (this.#open.size === 0) this.#closed?.();
  }

  /** Resolves as soon as there is none. */
  async drained(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#closed = resolve));
  }
}

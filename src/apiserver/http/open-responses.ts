import type { ServerResponse } from "node:http";

/** The answers that are being made, so that a server that stops can let them finish. */
export class OpenResponses {
  readonly #open = new Set<ServerResponse>();
  #closed: (() => void) | undefined;

  /** Until it is `delete`d, which whoever adds it does when it closes. */
  add(response: ServerResponse): void {
    this.#open.add(response);
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

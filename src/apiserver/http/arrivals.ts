/** Whoever comes later in the same turn begins when these have got as far as they can. */
export const TOGETHER_MAX = 32;

/**
 * Begins what arrives in one turn of the event loop together, when all that came is read: each
 * step of all comes before the next step of any, as whoever waits goes on when all have begun.
 * What a request needs of the program is larger than the second cache of a processor, so that
 * requests that go from end to end one by one find little of it there.
 */
export class Arrivals {
  #together: (() => void)[] = [];

  add(begin: () => void): void {
    if (this.#together.length >= TOGETHER_MAX) this.#together = [];
    const together = this.#together;
    if (together.push(begin) > 1) return;
    setImmediate(() => {
      if (this.#together === together) this.#together = [];
      for (const each of together) each();
    });
  }
}

/** The place of an item in a list; empty once it left. */
export interface Link<T> {
  readonly item: T;
  previous: Link<T> | undefined;
  next: Link<T> | undefined;
  isLinked: boolean;
}

/**
 * Items in the order in which they came, each of which leaves by its link. For what comes and goes
 * with every request: a `Set` now and then copies its table, and V8 chains the old tables to the
 * new ones, so that one which grew old keeps alive whatever was in all later ones until a full
 * collection.
 */
export class LinkedList<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;

  get first(): T | undefined {
    return this.#first?.item;
  }

  /** Puts the item at the end. */
  add(item: T): Link<T> {
    const link: Link<T> = { item, previous: this.#last, next: undefined, isLinked: true };
    if (this.#last) this.#last.next = link;
    else this.#first = link;
    this.#last = link;
    return link;
  }

  /** Takes an item of this list out; one that left already stays out. */
  remove(link: Link<T>): void {
    if (!link.isLinked) return;
    const { previous, next } = link;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    link.isLinked = false;
    link.previous = link.next = undefined;
  }

  /** Takes the first item out. */
  shift(): T | undefined {
    const link = this.#first;
    if (link) this.remove(link);
    return link?.item;
  }
}

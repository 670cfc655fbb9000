/**
 * Allocatable and requested amounts as one column each per resource, indexed by slot. "pods" is a
 * resource like the others; `scoredCpu` and `scoredMemory` count stand-ins for absent requests.
 */
export class ResourceTable {
  readonly names: string[] = [];
  readonly allocatable: Float64Array[] = [];
  readonly requested: Float64Array[] = [];
  scoredCpu: Float64Array;
  scoredMemory: Float64Array;
  readonly #ids = new Map<string, number>();
  #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.scoredCpu = new Float64Array(capacity);
    this.scoredMemory = new Float64Array(capacity);
    for (const name of ["pods", "cpu", "memory", "ephemeral-storage"]) this.idOf(name);
  }

  /** The number of a resource; a new one gets columns of zeros. */
  idOf(name: string): number {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = this.names.length;
      this.#ids.set(name, id);
      this.names.push(name);
      this.allocatable.push(new Float64Array(this.#capacity));
      this.requested.push(new Float64Array(this.#capacity));
    }
    return id;
  }

  grow(capacity: number): void {
    this.#capacity = capacity;
    const grown = (column: Float64Array) => {
      const larger = new Float64Array(capacity);
      larger.set(column);
      return larger;
    };
    for (let id = 0; id < this.names.length; id++) {
      this.allocatable[id] = grown(this.allocatable[id] as Float64Array);
      this.requested[id] = grown(this.requested[id] as Float64Array);
    }
    this.scoredCpu = grown(this.scoredCpu);
    this.scoredMemory = grown(this.scoredMemory);
  }

  /** Forgets what a slot offers; what its pods request stays. */
  clearAllocatable(slot: number): void {
    for (const column of this.allocatable) column[slot] = 0;
  }
}

/** Number of the resource "pods": the first one registered. */
export const PODS_RESOURCE = 0;

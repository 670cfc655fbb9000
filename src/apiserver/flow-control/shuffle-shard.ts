/**
 * The few queues that a flow may wait in: always the same ones for the same flow, and rarely all
 * of them shared with another. Places count from 0.
 */
export function dealHand(
  flow: string,
  { queues, handSize }: { queues: number; handSize: number },
): number[] {
  const hand: number[] = [];
  let entropy = hashOf(flow);
  for (let dealt = 0; dealt < Math.min(handSize, queues); dealt++) {
    const left = BigInt(queues - dealt);
    let card = Number(entropy % left);
    entropy /= left;
    // The cards before it that are gone already move it up.
    for (const taken of hand.toSorted((a, b) => a - b)) if (taken <= card) card++;
    hand.push(card);
  }
  return hand;
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;

/** FNV-1a of 64 bits, mixed once more, as its low bits alone are poor. */
function hashOf(text: string): bigint {
  let hash = FNV_OFFSET;
  for (let at = 0; at < text.length; at++) {
    hash = ((hash ^ BigInt(text.charCodeAt(at))) * FNV_PRIME) & MASK;
  }
  hash ^= hash >> 33n;
  hash = (hash * 0xff51afd7ed558ccdn) & MASK;
  return hash ^ (hash >> 33n);
}

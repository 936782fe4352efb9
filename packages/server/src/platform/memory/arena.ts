// Owns memory that is used again and again, for bytes that live no longer than one piece of work.

/** Where bytes are put. */
export type Take = (bytes: number) => Buffer;

/**
 * Hands out pieces of one buffer. A buffer of its own for each would cost little to make, but those that outlive two
 * collections of the young are freed by the next collection of everything only, which they bring about: for the thread
 * that takes the journal in that was one in 0.3 seconds under load.
 */
export type Arena = {
  /** Bytes with anything in them; of the arena where it has room. */
  readonly take: Take;
  /** Whatever was taken may be overwritten from now on. */
  readonly reset: () => void;
};

/** An arena of this many bytes, whose memory is there from its first use on. */
export function createArena(bytes: number): Arena {
  let memory: Buffer | undefined;
  let used = 0;
  return {
    take(wanted) {
      if (used + wanted > bytes) return Buffer.allocUnsafe(wanted);
      memory ??= Buffer.allocUnsafeSlow(bytes);
      used += wanted;
      return memory.subarray(used - wanted, used);
    },
    reset() {
      used = 0;
    },
  };
}

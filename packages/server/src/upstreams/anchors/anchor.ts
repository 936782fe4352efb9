// Owns what an anchor looks like to the job that pushes checkpoints to it: somebody else, who keeps what they were told.

export type Anchor = {
  /** As in the log and the metrics. */
  readonly name: 'webhook' | 'syslog';
  /**
   * Tells signed checkpoints in their order; `onTaken` hears of each that was taken, in the same order. Rejects at the
   * first that was not, and when `signal` aborts: then some may have been taken that were not heard of.
   */
  readonly push: (notes: readonly string[], onTaken: () => void, signal: AbortSignal) => Promise<void>;
};

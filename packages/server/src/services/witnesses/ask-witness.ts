// Owns asking one witness for its cosignature of one checkpoint, and going on from the size that it has.

import {
  formatAddCheckpoint,
  type RawWitnessAnswer,
  readWitnessAnswer,
  type WitnessAnswer,
} from '@countersign/core/ledger/add-checkpoint';
import type { SignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import type { VerifierKey } from '@countersign/core/ledger/note';
import type { Verifying } from '@countersign/core/ledger/primitives';

export type Witness = {
  /** By which the operator's file, the log and metrics call it. */
  readonly name: string;
  readonly key: VerifierKey;
  /** Its submission prefix, without a slash at the end. */
  readonly url: string;
};

export type AskDeps = {
  readonly verifying: Verifying;
  /** Sends a body and gives the answer. Rejects where there is none in time. */
  readonly post: (url: string, body: string) => Promise<RawWitnessAnswer>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

/** One log's newest checkpoint, durable and signed, and the way to prove what came before it. */
export type LogToCosign = {
  readonly signed: SignedCheckpoint;
  /** The note, verbatim. */
  readonly checkpoint: string;
  readonly prove: (oldSize: number, size: number) => Promise<readonly Uint8Array[]>;
};

type Cosigned = Extract<WitnessAnswer, { readonly kind: 'cosigned' }>;

export type AskResult =
  | Exclude<WitnessAnswer, { readonly kind: 'other_size' | 'cosigned' }>
  /** `oldSize` is what the witness had cosigned before. */
  | (Cosigned & { readonly oldSize: number })
  /** The witness has cosigned more of this log than there is. */
  | { readonly kind: 'rolled_back'; readonly size: number }
  | { readonly kind: 'unreachable'; readonly error: unknown };

/** How often a witness may tell another size within one question. */
const maxTries = 4;

async function exchange(
  deps: AskDeps,
  witness: Witness,
  { signed, checkpoint, prove }: LogToCosign,
  oldSize: number,
): Promise<WitnessAnswer | { readonly kind: 'unreachable'; readonly error: unknown }> {
  const { size } = signed.checkpoint;
  const body = formatAddCheckpoint({ oldSize, proof: await prove(oldSize, size), checkpoint });
  let answer: RawWitnessAnswer;
  try {
    answer = await deps.post(`${witness.url}/add-checkpoint`, body);
  } catch (error) {
    return { kind: 'unreachable', error };
  }
  const now = Math.floor(deps.now() / 1_000);
  return readWitnessAnswer(deps.verifying, answer, {
    note: signed.note,
    oldSize,
    size,
    witness: witness.key,
    now,
  });
}

/**
 * Asks for a cosignature, from the size that the witness cosigned last as far as we know. A witness that tells another
 * size is asked from there. INVARIANT: a size beyond ours ends it: the witness has seen what this store has not.
 */
export async function askWitness(
  deps: AskDeps,
  witness: Witness,
  log: LogToCosign,
  lastSize: number,
): Promise<AskResult> {
  let oldSize = lastSize;
  for (let tries = 0; tries < maxTries; tries += 1) {
    if (oldSize > log.signed.checkpoint.size) return { kind: 'rolled_back', size: oldSize };
    const answer = await exchange(deps, witness, log, oldSize);
    if (answer.kind === 'cosigned') return { ...answer, oldSize };
    if (answer.kind !== 'other_size') return answer;
    oldSize = answer.size;
  }
  return oldSize > log.signed.checkpoint.size
    ? { kind: 'rolled_back', size: oldSize }
    : { kind: 'unusable', reason: 'it tells another size each time' };
}

// Owns the outcomes that could not be recorded when their calls ended: they are kept, and written when the log can be.

import type { EntryId, OrgId } from '@countersign/core/ids';
import type { ProviderObject } from '../../stores/provider-objects.ts';
import type { Sidecar } from '../../stores/secrets.ts';
import type { Recorded, Recorder, ToRecord } from './recorder.ts';

/** An outcome that a log lacks. It closes `intent`, if that is in the log and still open. */
export type OwedOutcome = {
  readonly intent: EntryId;
  readonly text: string;
  readonly sidecars: readonly Sidecar[];
  readonly objects: readonly ProviderObject[];
};

export type OwingRecorder = Recorder & {
  /** Outcomes that are owed. */
  readonly owed: () => number;
  /** Tries to write all of them, once. Never rejects. */
  readonly settle: () => Promise<void>;
};

export type OwingDeps = {
  readonly recorder: Recorder;
  /**
   * Commits those outcomes whose intents are open, and no other: whether a commit that failed took place may
   * be unknown, and an intent has one outcome.
   */
  readonly closeOwed: (orgId: OrgId, owed: readonly OwedOutcome[]) => Promise<number>;
  readonly onError: (error: unknown) => void;
  /** Outcomes that are kept at most; those beyond are closed by the next start, as unknown. */
  readonly maxOwed: number;
};

/** Outcomes of one log that are written together. */
const step = 200;

/**
 * A recorder that remembers. A call whose outcome cannot be recorded is not answered to its end, but its intent
 * is durable and its provider may have billed it: the true outcome follows as soon as the log can be written.
 */
export function createOwingRecorder(deps: OwingDeps): OwingRecorder {
  const { recorder } = deps;
  const owed = new Map<OrgId, OwedOutcome[]>();
  let count = 0;
  let running: Promise<void> | undefined;

  function owe({ orgId, closes, sidecars = [], objects = [] }: ToRecord): void {
    if (closes === undefined || count >= deps.maxOwed) return;
    const own = owed.get(orgId) ?? [];
    owed.set(orgId, own);
    own.push({ ...closes(), sidecars, objects });
    count += 1;
  }

  async function settleAll(): Promise<void> {
    for (const [orgId, own] of owed) {
      while (own.length > 0) {
        const some = own.slice(0, step);
        await deps.closeOwed(orgId, some);
        own.splice(0, some.length);
        count -= some.length;
      }
      owed.delete(orgId);
    }
  }

  const record = (entry: ToRecord): Promise<Recorded> =>
    recorder.record(entry).catch((error: unknown) => {
      owe(entry);
      throw error;
    });

  return {
    record,
    pending: recorder.pending,
    idle: recorder.idle,
    owed: () => count,
    settle() {
      if (count === 0 && running === undefined) return Promise.resolve();
      running ??= settleAll()
        .catch(deps.onError)
        .finally(() => {
          running = undefined;
        });
      return running;
    },
  };
}

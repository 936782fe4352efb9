// Owns how the thread that moves heads gets the journal, which another appends to, for itself: what they say to each other.

import type { OrgId } from '@countersign/core/ids';
import type { Standing } from './place-batch.ts';

/** Where logs stand; undefined for one that has to be asked for again. */
export type Standings = readonly (readonly [orgId: OrgId, standing: Standing | undefined])[];

/** Whoever appends to the journal. */
export type Appender = {
  /** Resolves when nothing is being appended, nor will be before `resume`. */
  readonly hold: () => Promise<void>;
  /** Lets it append again: behind where the logs stand that have moved, or may have. */
  readonly resume: (moved: Standings) => void;
};

export type DistantAppender = Appender & {
  /** The journal was given. */
  readonly onHeld: () => void;
  /** The other thread will never append again: nobody has to be asked any more. */
  readonly leave: () => void;
};

/** An appender in another thread: `askFor` sends for the journal. */
export function createDistantAppender(askFor: () => void, resume: Appender['resume']): DistantAppender {
  let given: (() => void) | undefined;
  let hasLeft = false;

  function onHeld(): void {
    given?.();
    given = undefined;
  }

  return {
    hold() {
      if (hasLeft) return Promise.resolve();
      return new Promise((resolve) => {
        given = resolve;
        askFor();
      });
    },
    resume,
    onHeld,
    leave() {
      hasLeft = true;
      onHeld();
    },
  };
}

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

/** An appender in another thread: `askFor` sends for the journal, and `onHeld` is called when it is given. */
export function createDistantAppender(
  askFor: () => void,
  resume: Appender['resume'],
): Appender & { readonly onHeld: () => void } {
  let given: (() => void) | undefined;
  return {
    hold: () =>
      new Promise((resolve) => {
        given = resolve;
        askFor();
      }),
    resume,
    onHeld() {
      given?.();
      given = undefined;
    },
  };
}

// Owns what is read of a call whose two entries are at hand: whom and what it was of, and what it used.

import { membersOf } from '@countersign/core/ledger/members';
import { type Actor, readActor } from './entry-actor.ts';
import type { UsageRow } from './usage.ts';
import { usageRowOf } from './usage-rows.ts';

/**
 * Of a call, as its outcome has it. INVARIANT: an outcome says of actor, cost centre, class and the model that was
 * asked for what its intent says. Literals, as they stand in the text.
 */
export type WholeCall = {
  readonly actor: Actor;
  readonly cc: string | undefined;
  readonly class: string | undefined;
  readonly model: string | undefined;
  readonly req: string | undefined;
  readonly usage: UsageRow | undefined;
};

const members = ['actor', 'cc', 'class', 'req', 'target', 'ts', 'usage'];

/** Reads an outcome's canonical text, as far as the projection needs it of a call that is whole. */
export function readWholeCall(text: string): WholeCall {
  const [actorText = '{}', cc, classText, req, target = '{}', ts, usage] = membersOf(text, members);
  const actor = readActor(actorText);
  const [model] = membersOf(target, ['model']);
  return { actor, cc, class: classText, model, req, usage: usageRowOf(actor, { cc, target, ts, usage }) };
}

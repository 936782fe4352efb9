// Owns the calls that are open at a place in the log, and what the outcome that closes one must say again.

import { furtherModels } from '@countersign/core/directory/decide-on-call';
import type { Directory } from '@countersign/core/directory/directory';
import { namedModels } from '@countersign/core/directory/named-models';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import type { CallIntent, CallOutcome } from '@countersign/core/ledger/entry';
import { readContext } from './check-context.ts';
import { expectSame, type Report } from './difference.ts';

type Call = CallIntent | CallOutcome;

/** What is kept of an open call: small, since a log may have as many as its writer likes. */
type Open = {
  readonly type: Call['type'];
  readonly req: string;
  readonly attempt: number;
  readonly sv: number;
  readonly model: string | undefined;
  /** The actor's id, for the message; the hash covers the whole. */
  readonly actor: string;
  readonly provider: string | undefined;
  /** Models that may have run: the one that was decided on, and those that the body names besides. */
  readonly mayRun: readonly (string | undefined)[];
  readonly rest: string;
};

export type OpenCalls = {
  /** Opens a call that goes ahead. */
  readonly open: (directory: Directory, intent: CallIntent) => void;
  /** Closes it, and reports where the outcome says another thing than the intent. */
  readonly close: (outcome: CallOutcome, report: Report) => void;
  readonly count: () => number;
};

/**
 * What both entries say alike, beside what `Open` names. The provider's own name for the model that ran, and what came
 * of the call, are the outcome's.
 */
function restOf({ actor, target, class: classes, cc, tags, trace, run }: Call): string {
  const { served: _served, resource: _resource, provider: _provider, ...asked } = target;
  return canonicalJson({ actor, asked, class: classes, cc, tags, trace, run });
}

function othersOf(directory: Directory, { ctx, target }: CallIntent): readonly string[] {
  const names = furtherModels(readContext(ctx) ?? {});
  const provider = directory.providersByName.get(target.provider ?? '');
  if (names.length === 0 || provider === undefined) return [];
  return names.flatMap((name) => namedModels(directory, provider, name)).map(({ id }) => id);
}

function compare(open: Open, outcome: CallOutcome, rest: string, report: Report): void {
  const same = (recorded: string, replayed: string): void =>
    expectSame(report, 'outcome_differs', recorded, replayed);
  const { target } = outcome;
  same(outcome.type, open.type);
  same(`request ${outcome.req}`, `request ${open.req}`);
  same(`attempt ${outcome.attempt}`, `attempt ${open.attempt}`);
  same(`decided under ${outcome.sv}`, `decided under ${open.sv}`);
  same(`actor ${outcome.actor.id}`, `actor ${open.actor}`);
  same(`model ${target.model ?? 'none'}`, `model ${open.model ?? 'none'}`);
  same(`provider ${target.provider ?? 'none'}`, `provider ${open.provider ?? 'none'}`);
  if (!open.mayRun.includes(target.resource))
    report(
      'outcome_differs',
      `${target.resource ?? 'no model'} ran`,
      `${open.mayRun[0] ?? 'no model'} was asked`,
    );
  if (rest !== open.rest)
    report(
      'outcome_differs',
      'actor, target, labels, account, tags, trace or run',
      'other ones in its intent',
    );
}

/** No call is open yet. `digest` shortens a text: what it gives of two texts is the same for the same text only. */
export function noOpenCalls(digest: (text: string) => string): OpenCalls {
  const calls = new Map<string, Open>();
  return {
    open: (directory, intent) => {
      const { type, req, attempt, sv, actor, target } = intent;
      calls.set(intent.id, {
        type,
        req,
        attempt,
        sv,
        model: target.model,
        actor: actor.id,
        provider: target.provider,
        mayRun: [target.resource, ...othersOf(directory, intent)],
        rest: digest(restOf(intent)),
      });
    },
    close: (outcome, report) => {
      const open = calls.get(outcome.intent);
      if (open === undefined) {
        report('outcome_without_intent', `outcome of ${outcome.intent}`, 'no such call is open here');
        return;
      }
      calls.delete(outcome.intent);
      compare(open, outcome, digest(restOf(outcome)), report);
    },
    count: () => calls.size,
  };
}

// Owns the check of refusals whose decision no entry tells: what such an entry must look like, and nothing more.

import { emptyPrompt } from '@countersign/core/directory/context';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import type { CallIntent } from '@countersign/core/ledger/entry';
import type { Attributes } from '@countersign/core/policy/types';
import { expectSame, listText, type Report } from './difference.ts';

/** The reasons of such refusals, and why there is no decision to take again. */
export const untold = {
  foreign_id: 'whose an id at the provider was stands in no entry',
  record_too_large: 'no entry could hold what it was decided on',
} as const;

export type Untold = keyof typeof untold;

/** The reason of such a refusal; undefined for every other one. */
export function untoldReason(entry: CallIntent): Untold | undefined {
  const { reason } = entry.policy;
  return reason === 'foreign_id' || reason === 'record_too_large' ? reason : undefined;
}

function textOf(value: unknown): string {
  return value === undefined ? 'absent' : canonicalJson(value);
}

/** A record that was too long is short: it says nothing of what the caller sent. */
function checkBare(context: Attributes, report: Report): void {
  for (const [name, empty] of Object.entries({ ...emptyPrompt, otherModels: undefined })) {
    expectSame(report, 'context_differs', `${name} ${textOf(context[name])}`, `${name} ${textOf(empty)}`);
  }
}

/** Holds such a refusal to its form: refused, denied by its reason alone, without anything that an allowed call has. */
export function checkUntold(entry: CallIntent, reason: Untold, context: Attributes, report: Report): void {
  const { decision, rules, more, errors, obligations } = entry.policy;
  expectSame(report, 'decision_differs', decision, 'deny');
  expectSame(report, 'rules_differ', listText(rules, more), listText([reason]));
  if (errors !== undefined) report('rules_differ', `errors ${listText(errors)}`, 'no errors');
  if (obligations !== undefined) report('obligations_differ', canonicalJson(obligations), '{}');
  if (reason === 'record_too_large') checkBare(context, report);
}

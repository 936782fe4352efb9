// Owns the words for a replay's result: what it proves, what it does not, and each difference at its place.

import { describeFinding } from '../ledger/describe-verification.ts';
import type { Difference, DifferenceKind } from './difference.ts';
import type { FormerProblem } from './former-log.ts';
import type { ExportReplay } from './replay-directory.ts';
import type { Replay } from './replay-log.ts';

const kindTexts: { readonly [K in DifferenceKind]: string } = {
  entry_unreadable: 'the entry cannot be read',
  log_differs: 'the entry names another log',
  opening_differs: 'the log is not opened once, at its beginning, under its own origin and key',
  state_differs: 'the state at the beginning is not that at the end of the former log',
  version_differs: 'the version is not that of its place',
  change_unusable: 'a change cannot be applied',
  policy_text_missing: 'a policy was published without its text',
  policy_hash_differs: 'a policy text is not the one that was published',
  policy_unusable: 'a policy text does not compile',
  policy_differs: 'the policy named is not the one in force',
  decision_differs: 'the decision is not what the policy says',
  rules_differ: 'other rules decide',
  obligations_differ: 'other obligations follow',
  reason_differs: 'the reason is another',
  target_differs: 'the model is not the one that was asked for',
  actor_differs: 'the actor is not as the directory has them',
  actor_not_live: 'the actor was not active',
  key_not_live: 'the key was not good',
  context_differs: 'the decision read something else than was so',
  permission_missing: 'the permission was not held',
  operation_unknown: 'no such operation makes an entry',
  change_differs: 'the operation does not change that',
  approvers_differ: 'the erasure was not agreed to by two who may erase',
  outcome_without_intent: 'an outcome belongs to no open call',
  outcome_differs: 'an outcome is not that of the call it closes',
  id_repeated: 'an earlier entry has this id',
};

/** One difference in one line. */
export function describeDifference(difference: Difference): string {
  const { index, id, kind, recorded, replayed } = difference;
  return `entry ${index} ${id}: ${kindTexts[kind]}: recorded \`${recorded}\`, replayed \`${replayed}\``;
}

type Replayed = Extract<ExportReplay, { readonly kind: 'replayed' }>;

type Fact = { readonly text: string; readonly without: readonly DifferenceKind[] };

function factsOf({
  calls,
  entries,
  version,
  policies,
  retaken,
  permissionsChecked,
  open,
}: Replay): readonly Fact[] {
  const went = `each of the ${calls.allowed} calls that went ahead`;
  return [
    {
      text: `${entries} entries make version ${version}; every decision stands at the version it was made under`,
      without: ['version_differs', 'change_unusable', 'entry_unreadable', 'log_differs', 'opening_differs'],
    },
    {
      text: `${policies} policies: every text is in the log and has the hash that decisions name`,
      without: ['policy_text_missing', 'policy_hash_differs', 'policy_unusable', 'policy_differs'],
    },
    {
      text: `each of the ${retaken} decisions taken again is the one recorded, by the same rules, with the same obligations, for the same model`,
      without: ['decision_differs', 'rules_differ', 'obligations_differ', 'reason_differs', 'target_differs'],
    },
    {
      text: `${went} had a person or service that was active then, with the roles and teams recorded, and where a key was shown, one that was active, unexpired and theirs`,
      without: ['actor_differs', 'actor_not_live', 'key_not_live', 'permission_missing'],
    },
    {
      text: 'what decisions read of workspace, key, application, agents, labels and time was so',
      without: ['context_differs'],
    },
    {
      text: `each of the ${permissionsChecked} changes and readings by people or services was made by one who held a permission for it there, and changes what its operation may; nothing else was changed`,
      without: [
        'permission_missing',
        'actor_not_live',
        'key_not_live',
        'actor_differs',
        'operation_unknown',
        'change_differs',
        'approvers_differ',
      ],
    },
    {
      text: `every outcome closes one call that went ahead, and is of the same request, actor and model; ${open} are open`,
      without: ['outcome_without_intent', 'outcome_differs', 'id_repeated'],
    },
  ];
}

function formerLines(result: Replayed): readonly string[] {
  const { former, verification, replay } = result;
  const { differenceKinds: kinds } = replay;
  if (former === undefined)
    return verification.continues === undefined
      ? []
      : [
          `taken from the record: the state at which \`${verification.continues.origin}\` goes on here; give its archive as --former`,
        ];
  const { origin, size, cited, key } = former;
  const lost = cited > size ? `: ${cited - size} entries were lost` : '';
  return [
    `the former log \`${origin}\`: its archive verifies and has ${size} entries, its checkpoint that is cited has ${cited}${lost}`,
    ...(key === 'handover'
      ? [
          'shown: the key of the archive is the one that has handed over to this log, at the archive\u2019s last entry',
        ]
      : []),
    ...(key !== 'export'
      ? []
      : [
          'the key of the former log came with its archive: give --former-vkey, received apart from it, to know whose log that is',
        ]),
    ...(kinds.has('state_differs')
      ? []
      : ['shown: directory and policy at the beginning are those at the end of the archive']),
  ];
}

function formerProblem(why: FormerProblem): string {
  switch (why.kind) {
    case 'continues_none':
      return 'a former log was given, but this one continues none';
    case 'another_log':
      return `the archive is of \`${why.origin}\`, and this log continues \`${why.cited}\``;
    case 'cited_not_signed':
      return `the checkpoint that is cited was not signed by the key of the archive of \`${why.origin}\``;
    case 'ended_elsewhere':
      return `the former log\u2019s key has signed that \`${why.origin}\` ended with ${why.ended} entries, and the archive is of another end or key, with ${why.size}`;
    case 'not_verified':
      return `the archive: ${describeFinding(why.finding)}`;
  }
}

function describeReplay(result: Replayed): string {
  const { replay } = result;
  const { calls, differenceCount, differences, differenceKinds: kinds, notRetaken } = replay;
  const { allowed, denied, requestable, refused } = calls;
  const lines = [
    differenceCount === 0
      ? `replayed: ${replay.retaken} decisions taken again, no difference`
      : `NOT REPLAYED: ${differenceCount} differences, ${replay.retaken} decisions taken again`,
    `calls: ${allowed} went ahead, ${denied} denied, ${requestable} could be requested, ${refused} refused by limits or before policy`,
    ...formerLines(result),
    ...factsOf(replay)
      .filter(({ without }) => !without.some((kind) => kinds.has(kind)))
      .map(({ text }) => `shown: ${text}`),
    ...[...notRetaken].map(([why, count]) => `not taken again: ${count}, because ${why}`),
    ...differences.map(describeDifference),
  ];
  if (differences.length < differenceCount)
    lines.push(`and ${differenceCount - differences.length} more differences`);
  lines.push(
    'taken from the record: what detectors found, addresses, and what clients claimed of themselves',
  );
  return lines.join('\n');
}

/** The result as lines of plain text. The first line is the verdict. */
export function describeExportReplay(result: ExportReplay): string {
  switch (result.kind) {
    case 'not_verified':
      return `NOT VERIFIED: ${describeFinding(result.finding)}`;
    case 'no_organization':
      return `NOT REPLAYED: the log \`${result.origin}\` is no organization's`;
    case 'former_refused':
      return `NOT REPLAYED: ${formerProblem(result.why)}`;
    case 'replayed':
      return describeReplay(result);
  }
}

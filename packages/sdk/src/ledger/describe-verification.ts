// Owns the words for a verification's result: what was found, and what it does and does not protect against.

import { assertNever } from '@countersign/core/errors';
import type { CheckpointProblem } from '@countersign/core/ledger/checkpoint';
import type { Cosignature } from '@countersign/core/ledger/cosignature';
import { exportFiles } from './read-export.ts';
import type { Handover, SuccessionFinding } from './succession-beside.ts';
import type { DirectoryFinding, DirectoryVerification } from './verify-directory.ts';
import type { ReceiptVerification } from './verify-receipt.ts';

type Verified = Extract<DirectoryVerification, { readonly ok: true }>;

/** The result as lines of plain text. The first line is the verdict. `isReconciled`: below a comparison with a bill. */
export function describeVerification(result: DirectoryVerification, isReconciled = false): string {
  if (!result.ok) return `NOT VERIFIED: ${describeFinding(result.finding)}`;
  const lines = [
    `verified: ${result.size} entries of \`${result.origin}\`, root ${result.root}`,
    'protected against anyone without the signing key: every entry, its place and the number of entries are those that were signed',
    ...continuedLines(result),
    ...keyLine(result.key),
    ...anchorLines(result),
    ...copiesLine(result),
    `not shown: that everything that happened was recorded${isReconciled ? ', beyond what the comparison above shows' : '; `ledger reconcile` compares with the provider\u2019s own usage'}`,
  ];
  return lines.join('\n');
}

function copiesLine({ copiesChecked, copies }: Verified): readonly string[] {
  if (!copiesChecked) return ['not checked: the copies, such as entries.jsonl'];
  if (copies.length === 0) return [];
  return [`compared with the log, line by line: ${copies.map((file) => `\`${file}\``).join(', ')}`];
}

function continuedLines({ continues, handover }: Verified): readonly string[] {
  if (continues === undefined) return [];
  const { origin, size } = continues;
  return [
    ...handoverLine(handover),
    `continues another log: \`${origin}\`, whose last checkpoint held has ${size} entries; they are not in this export: verify that log\u2019s archive, and give it to \`ledger replay\` as --former`,
  ];
}

function handoverLine(handover: Handover | undefined): readonly string[] {
  if (handover === undefined)
    return [
      `not shown: that the former log\u2019s own key has handed over to this log: the export has no \`${exportFiles.succession}\``,
    ];
  const { origin, size, root, verifierKey } = handover;
  return [
    `goes on from \`${origin}\`, which ended with ${size} entries, root ${root}: its key has signed that, and this log\u2019s key: ${verifierKey}`,
  ];
}

function formerText({
  origin,
  size,
  cited,
}: Extract<DirectoryFinding, { readonly kind: 'held_former' }>): string {
  const more =
    cited.origin === origin && size > cited.size
      ? `, and ends before the one that you hold: what lies between entry ${cited.size} and entry ${size} was lost and is cited nowhere`
      : '';
  return (
    `the held checkpoint is of \`${origin}\`, a former log with ${size} entries then: after a restore this log goes on under an origin and a key of its own, ` +
    `and cites the checkpoint of \`${cited.origin}\` with ${cited.size} entries${more}; hold it against the archive of that log, and a checkpoint of this one against this`
  );
}

function keyLine(key: Verified['key']): readonly string[] {
  if (key === 'former')
    return [
      'the verifier key came with the export, and the former log\u2019s key, which you gave, has handed over to it',
    ];
  if (key !== 'export') return [];
  return [
    'the verifier key came with the export: give --vkey, received apart from it, to know whose log this is',
  ];
}

function anchorLines(result: Verified): readonly string[] {
  const lines = [
    ...result.cosignatures.map((one) => witnessOfLine(one, result)),
    ...result.missing.map(missingLine),
    ...unheldLine(result.unheldSize),
  ];
  const { heldSize, cosignedSize, size } = result;
  const coveredSize = Math.max(heldSize, cosignedSize);
  if (heldSize > 0) {
    lines.push(
      `protected against the operator: the first ${heldSize} entries are those of the held checkpoint`,
    );
  }
  const isCosigned = result.cosignatures.length > 0 && cosignedSize === size;
  if (isCosigned || coveredSize >= Math.max(size, 1)) return lines;
  if (coveredSize > 0) {
    const which = heldSize >= cosignedSize ? 'held' : 'cosigned';
    lines.push(
      `not protected against the operator: the ${size - coveredSize} entries after the ${which} checkpoint`,
    );
    return lines;
  }
  return [
    ...lines,
    'not protected against the operator: whoever has the signing key and the disk could have written another log,',
    '  or cut this one short; hold it against an earlier checkpoint (--since), a receipt, or a witness\u2019s cosignature',
  ];
}

/** A witness's line about an export, of which it may have seen the beginning only. */
function witnessOfLine(
  { witness, time }: Cosignature,
  { size, cosignedSize }: { readonly size: number; readonly cosignedSize: number },
): string {
  if (cosignedSize === size) return witnessLine(witness, time);
  return `protected against the operator: the first ${cosignedSize} entries: witness \`${witness}\` saw them at ${dateOf(time)} and has cosigned them`;
}

function unheldLine(size: number): readonly string[] {
  if (size === 0) return [];
  return [
    `a cosigned checkpoint of ${size} entries lies in the export and counts for nothing: name its witnesses by a key of yours (--witness) or a policy (--policy)`,
  ];
}

const checkpointProblems: { readonly [P in CheckpointProblem]: string } = {
  checkpoint_malformed: 'the checkpoint cannot be read',
  origin_differs: 'the checkpoint is of another log than the verifier key names',
  signature_missing: 'the checkpoint carries no signature of the log\u2019s key',
  signature_invalid: 'the checkpoint\u2019s signature is false',
};

const successionProblems: { readonly [P in SuccessionFinding['problem']]: string } = {
  malformed: 'is no note of a log that hands over to another',
  hands_over_elsewhere: 'hands over to another log, or to another key of it',
  not_signed_by_former: 'was not signed by the key of the former log',
  not_signed_by_this: 'was not signed by the key of this log',
  missing: 'is not there: nothing shows that the former log\u2019s key has handed over to this log',
  another_former: 'is of another key than the former log\u2019s that was given',
  cites_another: 'is of another log or key than the checkpoint that the first entry cites',
};

const receiptProblems = {
  ...checkpointProblems,
  receipt_malformed: 'the receipt cannot be read',
  record_not_included: 'the record is not the one at this place of the signed tree',
  key_unusable: 'a verifier key cannot be used',
  input_unusable: 'what it is to be held to cannot be used',
  cosignature_invalid: 'a witness\u2019s cosignature is false',
  cosignature_missing: 'a witness that was asked for has not cosigned',
  quorum_not_met: 'too few witnesses have cosigned',
} as const;

/** A receipt's result as lines of plain text. The first line is the verdict. */
export function describeReceipt(result: ReceiptVerification): string {
  if (!result.ok) {
    const { problem, detail } = result;
    return `NOT VERIFIED: ${receiptProblems[problem]}${detail === undefined ? '' : `: ${detail}`}`;
  }
  const { origin, index, size, cosignatures, missing } = result;
  return [
    `verified: the record is entry ${index} of \`${origin}\`, in the tree of ${size} entries that was signed`,
    'protected against the operator: this receipt shows any later log that lacks or changes the record as another log',
    ...cosignatures.map(({ witness, time }) => witnessLine(witness, time)),
    ...missing.map(missingLine),
  ].join('\n');
}

function missingLine(witness: string): string {
  return `not cosigned by witness \`${witness}\`, which the policy names; its quorum is met without it`;
}

function dateOf(time: number): string {
  // A witness signs 64 bits of seconds; beyond year 275760 there is no date to write.
  return time <= 8.64e12 ? new Date(time * 1000).toISOString() : `second ${time}`;
}

function witnessLine(witness: string, time: number): string {
  return `protected against the operator: witness \`${witness}\` saw this tree at ${dateOf(time)} and has cosigned it`;
}

/** One finding in plain words: the place, and what is wrong there. */
export function describeFinding(finding: DirectoryFinding): string {
  switch (finding.kind) {
    case 'checkpoint_malformed':
    case 'origin_differs':
    case 'signature_missing':
    case 'signature_invalid':
      return checkpointProblems[finding.kind];
    case 'file_missing':
      if (finding.file === exportFiles.checkpoint)
        return `\`${finding.file}\` is missing: this is no export, or a part of one`;
      return `\`${finding.file}\` is missing, from entry ${finding.index} on`;
    case 'bundle_torn':
      return `\`${finding.file}\` is torn at entry ${finding.index}`;
    case 'bundle_length':
      return `\`${finding.file}\` has too many or too few entries, from entry ${finding.index} on`;
    case 'tile_length':
      return `\`${finding.file}\` has the wrong length`;
    case 'entry_altered':
      return `entry ${finding.index} in \`${finding.file}\` is not the one that was recorded`;
    case 'tile_altered':
      return `\`${finding.file}\` does not match what it covers, from entry ${finding.index} on`;
    case 'root_differs':
      return 'the entries agree with their tiles but not with the signed root: the log was rewritten';
    case 'rolled_back':
      return `the log ends at ${finding.index} entries, but ${finding.held} has ${finding.size}: it was cut or rolled back`;
    case 'forked':
      return `the first ${finding.size} entries are not those of ${finding.held}: the log was rewritten and signed again`;
    case 'copy_differs':
      return `\`${finding.file}\` differs from the log at line ${finding.line}`;
    default:
      return describeInput(finding);
  }
}

type InputKind =
  | 'input_unusable'
  | 'key_missing'
  | 'held_refused'
  | 'cosigned_refused'
  | 'held_former'
  | 'succession_refused'
  | 'cosignature_invalid'
  | 'cosignature_missing'
  | 'quorum_not_met'
  | 'file_unexpected';

function describeInput(finding: Extract<DirectoryFinding, { readonly kind: InputKind }>): string {
  switch (finding.kind) {
    case 'input_unusable':
      return `\`${finding.input}\` cannot be used: ${finding.reason}`;
    case 'key_missing':
      return `\`${finding.file}\` holds no verifier key: give --vkey`;
    case 'held_refused':
      return finding.problem === 'checkpoint_malformed'
        ? 'what is given as the held checkpoint is no checkpoint: give the signed note, or the API\u2019s answer with it'
        : `the held checkpoint was not signed by this log: ${checkpointProblems[finding.problem]}`;
    case 'cosigned_refused':
      return `\`${finding.file}\` is not of this log: ${checkpointProblems[finding.problem]}`;
    case 'held_former':
      return formerText(finding);
    case 'succession_refused':
      return `\`${finding.file}\` ${successionProblems[finding.problem]}`;
    case 'cosignature_invalid':
      return `the cosignature of \`${finding.witness}\` is false`;
    case 'cosignature_missing':
      return `witness \`${finding.witness}\` has not cosigned`;
    case 'quorum_not_met':
      return `too few witnesses have cosigned: ${finding.cosigned.join(', ') || 'none'}`;
    case 'file_unexpected':
      return `\`${finding.file}\` is no part of the signed tree, or no plain file`;
    default:
      return assertNever(finding);
  }
}

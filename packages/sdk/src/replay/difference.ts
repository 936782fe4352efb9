// Owns what replay can find: a place in the log, what stands there, and what the log itself says should.

export const differenceKinds = [
  'entry_unreadable',
  'log_differs',
  'opening_differs',
  'state_differs',
  'version_differs',
  'change_unusable',
  'policy_text_missing',
  'policy_hash_differs',
  'policy_unusable',
  'policy_differs',
  'decision_differs',
  'rules_differ',
  'obligations_differ',
  'reason_differs',
  'target_differs',
  'actor_differs',
  'actor_not_live',
  'key_not_live',
  'context_differs',
  'permission_missing',
  'operation_unknown',
  'change_differs',
  'approvers_differ',
  'outcome_without_intent',
  'outcome_differs',
  'id_repeated',
] as const;

export type DifferenceKind = (typeof differenceKinds)[number];

export type Difference = {
  /** The entry's place in the log, from 0. */
  readonly index: number;
  /** The entry's id; empty when it cannot be read. */
  readonly id: string;
  readonly kind: DifferenceKind;
  readonly recorded: string;
  /** What follows from the entries before it. */
  readonly replayed: string;
};

/** Is told of a difference at the entry under examination. */
export type Report = (kind: DifferenceKind, recorded: string, replayed: string) => void;

/** A list of ids as one text, with how many more there are. */
export function listText(items: readonly string[] | undefined, more?: number): string {
  const text = `[${(items ?? []).join(', ')}]`;
  return more === undefined ? text : `${text} and ${more} more`;
}

/** Reports the two texts if they differ. */
export function expectSame(report: Report, kind: DifferenceKind, recorded: string, replayed: string): void {
  if (recorded !== replayed) report(kind, recorded, replayed);
}

// Owns what the committing thread remembers of each log between commits: its signer, its edge, and what its head can be.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { sameBytes } from '@countersign/core/ledger/primitives';
import type { TreeHasher } from '@countersign/core/ledger/tree';
import type { Sealer } from '../../platform/sealer/sealer.ts';
import type { BuiltStatements } from '../../stores/built-statements.ts';
import { type Head, noLedger } from '../../stores/heads.ts';
import type { Tx } from '../../stores/schema.ts';
import { type AppendInput, type Grown, growLog, type LogState, notGrown, signGrown } from './append.ts';
import { openSigner } from './open-log.ts';

/** An append whose transaction may still fail. */
export type Uncommitted = {
  readonly orgId: OrgId;
  /** The log before the transaction, and after it. */
  readonly former: LogState;
  readonly state: LogState;
};

/** A head, and what is known of its log as it is there. */
export type CheckedHead = { readonly head: Head; readonly known: LogState | undefined };

/** An append that its transaction goes on with: the log before it, and what has grown. */
export type Growing = { readonly orgId: OrgId; readonly former: LogState; readonly grown: Grown };

export type Appender = {
  /**
   * Holds a head that a transaction has locked to what this thread has left. Throws `ledger_unavailable` where it is
   * another one, or gone, and `not_found` where there has never been one. INVARIANT: asked before anything of the head is
   * used, its version too.
   */
  readonly check: (orgId: OrgId, head: Head | undefined) => CheckedHead;
  /**
   * Begins to append, inside the transaction `tx` that has locked the head; nothing is remembered yet. Where nothing was
   * known of the log, its head must be what it has signed: else it throws `ledger_unavailable`.
   */
  readonly begin: (tx: Tx, orgId: OrgId, checked: CheckedHead) => Promise<Growing>;
  readonly grow: (tx: Tx, growing: Growing, input: AppendInput) => Promise<Growing>;
  /** Signs what has grown. INVARIANT: once for a log and transaction, and nothing is appended to it after that. */
  readonly sign: (tx: Tx, growing: Growing) => Promise<Uncommitted>;
  /** At the end of the transaction, before its commit is asked for: from now on the heads can be these. */
  readonly asked: (done: readonly Uncommitted[]) => void;
  /** After the transaction has committed: the heads are these, or what was built on them; lets the checkpoints out. */
  readonly confirm: (done: readonly Uncommitted[]) => void;
  /** A transaction opens this log itself: nothing that was known of it holds. */
  readonly forget: (orgId: OrgId) => void;
};

export type AppenderDeps = {
  readonly sealer: Sealer;
  readonly hasher: TreeHasher;
  readonly built: BuiltStatements;
  /** Hears each checkpoint after its commit is confirmed. */
  readonly onCheckpoint: (orgId: OrgId, checkpoint: string) => void;
  /** Hears of each head that was refused, with the origin of its log, inside the transaction that found it. */
  readonly onAltered: (orgId: OrgId, origin: string) => void;
};

/** Commits of one log whose outcome is unknown, one after the other, beyond which nothing is remembered of it. */
const mostStates = 16;

function sameHead(a: Head, b: Head): boolean {
  return (
    a.version === b.version &&
    a.size === b.size &&
    a.checkpoint === b.checkpoint &&
    a.origin === b.origin &&
    a.verifierKey === b.verifierKey &&
    sameBytes(a.frontier, b.frontier)
  );
}

const altered = (origin: string): AppError =>
  new AppError(
    'ledger_unavailable',
    `the head of the log \`${origin}\` in the store is not the one that this server committed last: somebody changed the ` +
      'store, or put an older state of it back. Nothing is signed: keep the store as it is, and see docs/guides/operate.md',
  );

/**
 * The appender of one thread. INVARIANT: it knows every state that a log can be in. Whoever is refused has not found one
 * of a commit that failed, whose outcome nobody heard, or whose answer is still on its way here.
 */
export function createAppender(deps: AppenderDeps): Appender {
  const { sealer, hasher, built, onCheckpoint, onAltered } = deps;
  /** The last state that is known to be committed, and those that were asked for since, in their order. */
  const logs = new Map<OrgId, readonly LogState[]>();

  async function open(tx: Tx, orgId: OrgId, head: Head): Promise<LogState> {
    try {
      return { signer: await openSigner(sealer, tx, orgId, head), head, edge: undefined };
    } catch (error) {
      if (error instanceof AppError && error.code === 'ledger_unavailable') onAltered(orgId, head.origin);
      throw error;
    }
  }

  return {
    check(orgId, head) {
      const states = logs.get(orgId);
      const last = states?.at(-1);
      const known = head && states?.findLast((state) => sameHead(state.head, head));
      if (head !== undefined && (last === undefined || known !== undefined)) return { head, known };
      if (last === undefined) throw noLedger(orgId);
      const { origin } = last.head;
      onAltered(orgId, origin);
      throw altered(origin);
    },
    async begin(tx, orgId, { head, known }) {
      const former = known ?? (await open(tx, orgId, head));
      return { orgId, former, grown: notGrown(former) };
    },
    async grow(tx, { orgId, former, grown }, input) {
      return { orgId, former, grown: await growLog({ hasher, built }, tx, orgId, grown, input) };
    },
    async sign(tx, { orgId, former, grown }) {
      return { orgId, former, state: await signGrown({ hasher, built }, tx, orgId, grown) };
    },
    asked(done) {
      for (const { orgId, former, state } of done) {
        const states = logs.get(orgId) ?? [former];
        // What was tried in vain is tried again, with the same signature.
        const others = states.filter(({ head }) => !sameHead(head, state.head));
        if (others.length < mostStates) logs.set(orgId, [...others, state]);
        else logs.delete(orgId);
      }
    },
    confirm(done) {
      for (const { orgId, state } of done) {
        const states = logs.get(orgId) ?? [state];
        // A later one, which has found this one in the store, may be confirmed before it.
        logs.set(orgId, states.slice(Math.max(0, states.indexOf(state))));
        onCheckpoint(orgId, state.head.checkpoint);
      }
    },
    forget(orgId) {
      logs.delete(orgId);
    },
  };
}

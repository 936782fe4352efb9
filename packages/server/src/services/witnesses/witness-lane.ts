// Owns one witness's way through the logs: which of them it is asked about, when again, and what is told of it.

import type { OrgId } from '@countersign/core/ids';
import {
  isConflict,
  isOfWitness,
  needsPeople,
  type Refusal,
  refusalDetail,
  refusalText,
} from './answer-words.ts';
import { type AskDeps, type AskResult, askWitness, type LogToCosign, type Witness } from './ask-witness.ts';
import { type KnownLog, type LaneState, newLog, seeCosigned, seeSize, stateOf } from './known-log.ts';

/** A log and how many entries it has. */
export type LogSize = { readonly orgId: OrgId; readonly size: number };

/** A log's newest checkpoint, and what is known of its witnesses. */
export type CosignTarget = LogToCosign & {
  /** The size that each witness has cosigned last, by its verifier key. */
  readonly sizes: ReadonlyMap<string, number>;
};

export type TargetOf = (orgId: OrgId) => Promise<CosignTarget>;

type Cosigned = Extract<AskResult, { readonly kind: 'cosigned' }>;

export type LaneDeps = AskDeps & {
  /** Monotonic, in milliseconds. */
  readonly clock: () => number;
  /** From 0 to 1: spreads what is tried again. */
  readonly random: () => number;
  /** How often logs are looked at, in milliseconds. */
  readonly everyMs: number;
  /** Makes a valid cosignature durable. */
  readonly keep: (orgId: OrgId, witness: Witness, target: CosignTarget, cosigned: Cosigned) => Promise<void>;
  /** The witness's verifier key as text. */
  readonly keyText: (witness: Witness) => string;
  readonly tell: (level: 'info' | 'warn' | 'error', fields: object, message: string) => void;
  readonly count: (witness: string, outcome: AskResult['kind']) => void;
};

export type Lane = {
  /** Asks about each log that has grown, one after the other; does nothing while it still does so. Never rejects. */
  readonly run: (logs: readonly LogSize[], targetOf: TargetOf) => Promise<void>;
  readonly state: () => LaneState;
  /** Begins nothing any more. */
  readonly stop: () => void;
};

/** The longest time until something is tried again, in milliseconds. */
const mostRestMs = 3_600_000;
/** How many times longer it rests where only people can put it right. */
const seldom = 60;

/** When it is tried again: a time and up to half of it more, so that what failed together does not come back so. */
function restAfter({ clock, random }: LaneDeps, ms: number): number {
  return clock() + Math.min(ms, mostRestMs) * (1 + random() / 2);
}

function growing({ everyMs }: LaneDeps, failures: number): number {
  return everyMs * 2 ** Math.min(failures - 1, 16);
}

/** The failures of the witness itself, whatever it was asked about. */
type Own = { failures: number; restsUntil: number; isStopped: boolean };

function onRefusal(
  deps: LaneDeps,
  name: string,
  own: Own,
  log: KnownLog,
  origin: string,
  refusal: Refusal,
): void {
  const isNews = isOfWitness(refusal) ? own.failures === 0 : log.last !== refusal.kind;
  // A conflict is told each time: whoever reads the log later must not miss it.
  if (isNews || isConflict(refusal)) {
    const fields = { witness: name, origin, size: log.size, ...refusalDetail(refusal) };
    deps.tell(isConflict(refusal) ? 'error' : 'warn', fields, refusalText(refusal));
  }
  if (isOfWitness(refusal)) {
    own.failures += 1;
    // One that is away is asked in each round, so that it has caught up within a minute of its return; one that says
    // that it has too much to do is left alone for longer each time.
    own.restsUntil =
      refusal.kind === 'unreachable'
        ? deps.clock() + deps.everyMs / 2
        : restAfter(deps, growing(deps, own.failures));
    return;
  }
  own.failures = 0;
  log.last = refusal.kind;
  log.failures += 1;
  log.isConflict ||= isConflict(refusal);
  log.restsUntil = restAfter(
    deps,
    needsPeople(refusal) ? deps.everyMs * seldom : growing(deps, log.failures),
  );
}

/** That a witness cosigns a log, once; and that it had lost what it had cosigned before. */
function tellCosigned(
  deps: LaneDeps,
  name: string,
  log: KnownLog,
  of: { readonly origin: string; readonly size: number; readonly stored: number; readonly oldSize: number },
): void {
  const fields = { witness: name, origin: of.origin };
  if (of.oldSize < of.stored)
    deps.tell(
      'warn',
      { ...fields, size: of.stored, witnessSize: of.oldSize },
      'a witness has forgotten what it had cosigned of this log: it would not have seen a change of that',
    );
  if (log.last !== 'cosigned') deps.tell('info', { ...fields, size: of.size }, 'a witness cosigns this log');
}

/** What is wrong with one log, or the store, is no reason to leave the others out. */
function onFault(deps: LaneDeps, name: string, log: KnownLog, error: unknown): void {
  if (log.last !== 'fault')
    deps.tell('error', { witness: name, error }, 'a cosignature could not be asked for or kept');
  log.last = 'fault';
  log.failures += 1;
  log.restsUntil = restAfter(deps, growing(deps, log.failures));
}

/** A lane that has asked nothing yet. It asks about each log once after a start, whether it has grown or not. */
export function createLane(deps: LaneDeps, witness: Witness): Lane {
  const { clock } = deps;
  const { name } = witness;
  const known = new Map<OrgId, KnownLog>();
  const own: Own = { failures: 0, restsUntil: Number.NEGATIVE_INFINITY, isStopped: false };
  let isRunning = false;

  async function visit(orgId: OrgId, log: KnownLog, target: CosignTarget): Promise<void> {
    const { origin, size } = target.signed.checkpoint;
    const stored = target.sizes.get(deps.keyText(witness)) ?? 0;
    log.cosigned = Math.min(stored, size);
    const result = await askWitness(deps, witness, target, stored);
    // What was given up because the process stops is no failure of the witness.
    if (own.isStopped && result.kind === 'unreachable') return;
    deps.count(name, result.kind);
    if (result.kind !== 'cosigned') return onRefusal(deps, name, own, log, origin, result);
    await deps.keep(orgId, witness, target, result);
    own.failures = 0;
    tellCosigned(deps, name, log, { origin, size, stored, oldSize: result.oldSize });
    seeCosigned(log, size, clock());
  }

  async function walk(logs: readonly LogSize[], targetOf: TargetOf): Promise<void> {
    const due = logs.map(({ orgId, size }) => {
      const log = known.get(orgId) ?? newLog();
      known.set(orgId, log);
      seeSize(log, size, clock());
      return { orgId, log };
    });
    // Whoever has waited longest is first: a run that broke off goes on where it did.
    due.sort((a, b) => (a.log.since ?? 0) - (b.log.since ?? 0));
    for (const { orgId, log } of due) {
      if (own.isStopped || clock() < own.restsUntil) return;
      if (log.since === undefined || clock() < log.restsUntil) continue;
      await targetOf(orgId)
        .then((target) => visit(orgId, log, target))
        .catch((error: unknown) => onFault(deps, name, log, error));
    }
  }

  return {
    async run(logs, targetOf) {
      if (isRunning || own.isStopped) return;
      isRunning = true;
      await walk(logs, targetOf);
      isRunning = false;
    },
    state: () => stateOf([...known.values()], clock()),
    stop() {
      own.isStopped = true;
    },
  };
}

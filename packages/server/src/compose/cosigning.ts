// Owns the log as a client of witnesses in the running server: how they are reached, counted and told of, and their end.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import type { RawWitnessAnswer } from '@countersign/core/ledger/add-checkpoint';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { formatSignature, formatVerifierKey } from '@countersign/core/ledger/note';
import { type Cosigning, startCosigning } from '../jobs/cosign-checkpoints.ts';
import type { Config } from '../platform/config/schema.ts';
import type { FetchDocument } from '../platform/egress/fetch-document.ts';
import type { Log } from '../platform/log/log.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import type { Shutdown } from '../platform/shutdown/shutdown.ts';
import { sha256, utf8, verifyEd25519 } from '../services/ledger/crypto.ts';
import {
  type CosignTarget,
  createLane,
  type Lane,
  type LaneDeps,
} from '../services/witnesses/witness-lane.ts';
import type { Witnesses } from './read-witnesses.ts';
import type { Store } from './store.ts';

export type CosigningParts = {
  readonly config: Config;
  /** Undefined: nobody is asked. */
  readonly witnesses: Witnesses | undefined;
  readonly store: Store;
  readonly fetchDocument: FetchDocument;
  readonly metrics: Registry;
  readonly log: Log;
  readonly shutdown: Shutdown;
};

/** For one question to a witness, from its name to the last byte, in milliseconds. */
const askMs = 10_000;
/** The largest answer: many lines of signatures. */
const maxAnswerBytes = 64 * 1024;
/** What the last round gets when the server stops, and a little more for its end, in milliseconds. */
const lastRoundMs = 2_000;
const stopMs = 5_000;

/** Text that is no UTF-8 reads as none: no answer of the protocol is empty. */
function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return '';
  }
}

function createPost(fetchDocument: FetchDocument, signal: AbortSignal) {
  return async (url: string, body: string): Promise<RawWitnessAnswer> => {
    const send = { type: 'text/plain; charset=utf-8', body };
    const limits = { maxBytes: maxAnswerBytes, timeoutMs: askMs };
    const answer = await fetchDocument(url, { ...limits, send, signal });
    return { status: answer.status, contentType: answer.contentType, body: textOf(answer.body) };
  };
}

function createTargets({ threads }: Store): (orgId: OrgId) => Promise<CosignTarget> {
  const { writer } = threads;
  return async (orgId) => {
    const { checkpoint, sizes } = await writer.call('cosignStanding', orgId);
    const signed = parseSignedCheckpoint(checkpoint);
    if (signed === undefined) throw new AppError('internal', 'a log has no checkpoint that can be read');
    const prove = (oldSize: number, size: number) =>
      writer.call('proveConsistency', { orgId, oldSize, size });
    return { checkpoint, signed, sizes, prove };
  };
}

function createKeep({ threads }: Store): LaneDeps['keep'] {
  return async (orgId, witness, { signed, checkpoint }, cosigned) => {
    const { origin, size } = signed.checkpoint;
    const witnessKey = formatVerifierKey(witness.key);
    const signature = formatSignature(cosigned.signature);
    const kept = { witnessKey, origin, size, checkpoint, signature };
    await threads.writer.call('keepCosignature', { orgId, kept });
  };
}

/** Registers the metrics of these lanes; returns what brings them up to date, and what counts an answer. */
function laneMetrics(metrics: Registry) {
  const gauge = (name: string, help: string) => metrics.gauge({ name, help, labels: ['witness'] });
  const behind = gauge(
    'countersign_witness_behind_entries',
    'entries that this witness has not cosigned yet',
  );
  const waiting = gauge(
    'countersign_witness_waiting_seconds',
    'for how long the log that waits longest has waited for this witness',
  );
  const conflicts = gauge(
    'countersign_witness_conflicts',
    'logs of which this witness has cosigned another tree or a larger one: must be 0',
  );
  const asked = metrics.counter({
    name: 'countersign_witness_answers_total',
    help: 'questions to this witness by how they ended',
    labels: ['witness', 'outcome'],
  });
  return {
    count: (witness: string, outcome: string) => asked.with({ witness, outcome }).inc(),
    show(witness: string, lane: Lane) {
      const state = lane.state();
      behind.with({ witness }).set(state.behind);
      waiting.with({ witness }).set(state.waitingMs / 1_000);
      conflicts.with({ witness }).set(state.conflicts);
    },
  };
}

/**
 * Starts asking the configured witnesses. The first round runs beside the start. `shutdown` learns how to end it: a
 * last round when calls have ended, for two seconds at most.
 */
export function composeCosigning({ witnesses, ...parts }: CosigningParts): void {
  if (witnesses === undefined) return;
  const { config, store, log, shutdown } = parts;
  const leaving = new AbortController();
  const { count, show } = laneMetrics(parts.metrics);
  const deps: LaneDeps = {
    verifying: { sha256, utf8, verifyEd25519 },
    post: createPost(parts.fetchDocument, leaving.signal),
    now: Date.now,
    clock: () => performance.now(),
    random: Math.random,
    everyMs: config.witnessIntervalMs,
    keep: createKeep(store),
    keyText: ({ key }) => formatVerifierKey(key),
    tell: (level, fields, message) => log[level](fields, message),
    count,
  };
  const named = witnesses.list.map((witness) => ({ name: witness.name, lane: createLane(deps, witness) }));
  const running: { cosigning?: Cosigning } = {};
  // Before it begins: where the server stops already, this throws, and nothing has been opened.
  shutdown.add({
    name: 'witnesses',
    phase: 'flush',
    limitMs: stopMs,
    close: async () => running.cosigning?.stop(lastRoundMs),
  });
  running.cosigning = startCosigning({
    lanes: named.map(({ lane }) => lane),
    logs: () => store.threads.writer.call('logs', null),
    targetOf: createTargets(store),
    everyMs: config.witnessIntervalMs,
    random: Math.random,
    onChange: () => {
      for (const { name, lane } of named) show(name, lane);
    },
    onError: (error) => log.warn({ error }, 'no witness could be asked: the store did not answer'),
    abort: () => leaving.abort(),
  });
}

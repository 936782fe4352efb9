// Tries a log that continues another one: replayed alone, beside the archive of the former, and where it lies.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { describeVerification } from '../ledger/describe-verification.ts';
import { verifyDirectory } from '../ledger/verify-directory.ts';
import { writeExport } from '../ledger/write-export.ts';
import { openCedarReader } from './cedar-policy.ts';
import { describeExportReplay } from './describe-replay.ts';
import type { DifferenceKind } from './difference.ts';
import { type ExportReplay, replayDirectory } from './replay-directory.ts';
import { foldLog } from './replay-log.ts';
import { changed, type Draft, ids, managed, origin, policy, sampleId, sha256Hex } from './sample-changes.ts';
import { signSample } from './sample-export.ts';
import { anotherKey, sampleVkey } from './sample-key.ts';
import { logText, makeLog } from './sample-log.ts';

const system = { id: 'system', kind: 'system' };
const nextOrigin = `${origin}/2`;
/** A version that no lost entry can have made. */
const from = 1_000;

const lived = makeLog().entries;
/** What the backup has: all but the last entry. */
const kept = lived.slice(0, -1).map(logText);
const held = signSample(lived.map(logText)).checkpoint;
const deps = { readPolicy: openCedarReader(), sha256Hex };
const directory = foldLog(deps, ids.org, kept);

const policyText = 'permit (principal, action, resource);';

function states(): readonly Draft[] {
  return Object.entries(directory.tables)
    .filter(([kind]) => kind !== 'policy')
    .flatMap(([kind, table]) => [...table.values()].map((state) => changed(kind, { ...state })));
}

function opening(previous: string | undefined): Draft {
  const [first] = lived;
  const opened = { origin: nextOrigin, vkey: sampleVkey(nextOrigin), previous };
  return { ...first, sv: previous === undefined ? 0 : from, opened };
}

const carry = (n: number, sv: number, change: readonly Draft[], more: Draft = {}): Draft =>
  managed(n, sv, 'log.continue', change, { actor: system, ...more });

/** The policy of the sample's end is long; its text stands in its entries. */
function published(): string {
  const { hash } = directory.tables.policy.get(ids.org) ?? {};
  const texts = lived.flatMap(({ policy_text: text }) => (typeof text === 'string' ? [text] : []));
  return texts.find((text) => sha256Hex(text) === hash) ?? '';
}

/** The beginning of the new log, and a change by its owner. */
function continued(change: readonly Draft[] = states(), text: string = published()): readonly Draft[] {
  const half = Math.floor(change.length / 2);
  return [
    opening(held),
    carry(2, from, change.slice(0, half)),
    carry(3, from + 1, change.slice(half)),
    carry(4, from + 2, [policy(from + 3, text)], { policy_text: text }),
    managed(5, from + 3, 'workspace.create', [
      changed('workspace', { id: sampleId('workspace', 80), name: 'later', status: 'active' }),
    ]),
  ];
}

function textsOf(entries: readonly Draft[]): readonly string[] {
  return entries.map((entry) => logText({ ...entry, log: nextOrigin }));
}

function written(
  t: TestContext,
  texts: readonly string[],
  name: string,
  key?: Parameters<typeof signSample>[2],
) {
  const room = mkdtempSync(join(tmpdir(), 'replay-continued-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const folder = join(room, 'export');
  return writeExport(folder, signSample(texts, name, key)).then(() => folder);
}

async function replayed(t: TestContext, entries: readonly Draft[], former?: string): Promise<ExportReplay> {
  const folder = await written(t, textsOf(entries), nextOrigin);
  return replayDirectory(folder, former === undefined ? {} : { former });
}

function kindsOf(result: ExportReplay): readonly DifferenceKind[] {
  assert.equal(result.kind, 'replayed', describeExportReplay(result));
  return [...result.replay.differenceKinds.keys()];
}

test('a log that continues another is replayed alone, and beside the archive of that', async (t) => {
  const alone = await replayed(t, continued());
  assert.deepEqual(kindsOf(alone), [], describeExportReplay(alone));
  assert.equal(alone.kind === 'replayed' && alone.replay.version, from + 4);
  assert.match(describeExportReplay(alone), /taken from the record: the state at which `[^`]+` goes on here/);
  const beside = await replayed(t, continued(), await written(t, kept, origin));
  assert.deepEqual(kindsOf(beside), [], describeExportReplay(beside));
  const text = describeExportReplay(beside);
  assert.match(text, /its checkpoint that is cited has \d+: 1 entries were lost/);
  assert.match(text, /directory and policy at the beginning are those at the end of the archive/);
});

test('a beginning that is not the end of the former log is a difference', async (t) => {
  const archive = await written(t, kept, origin);
  const lacking = states().slice(1);
  const more = [
    ...states(),
    changed('workspace', { id: sampleId('workspace', 81), name: 'made up', status: 'active' }),
  ];
  for (const entries of [continued(more), continued(lacking), continued(states(), policyText)]) {
    const result = await replayed(t, entries, archive);
    assert.ok(kindsOf(result).includes('state_differs'), describeExportReplay(result));
    assert.doesNotMatch(describeExportReplay(result), /at the beginning are those/);
  }
});

test('state is carried at the beginning of a log that continues another, and nowhere else', async (t) => {
  const late = [
    ...continued(),
    carry(6, from + 4, [changed('team', { id: ids.team, workspaceId: ids.workspace, name: 'x' })]),
  ];
  assert.deepEqual(kindsOf(await replayed(t, late)), ['change_differs']);
  const [, ...rest] = continued();
  const first = await replayed(t, [opening(undefined), ...rest]);
  assert.ok(kindsOf(first).includes('change_differs'), 'it continues none');
  const person = continued().with(1, managed(2, from, 'log.continue', states()));
  assert.notDeepEqual(kindsOf(await replayed(t, person)), [], 'nobody but the software does it');
});

test('the archive of another log, and one of another key, is refused', async (t) => {
  const other = await replayed(t, continued(), await written(t, textsOf(continued()), nextOrigin));
  assert.match(
    describeExportReplay(other),
    /^NOT REPLAYED: the archive is of `[^`]+\/2`, and this log continues/,
  );
  const forged = await replayed(t, continued(), await written(t, kept, origin, anotherKey()));
  assert.match(describeExportReplay(forged), /the checkpoint that is cited was not signed by the key/);
  // Whoever has neither key of the organization's makes both logs up: the archive's own key does not show it.
  const made = anotherKey();
  const { checkpoint } = signSample(lived.map(logText), origin, made);
  const madeUp = [opening(checkpoint), ...continued().slice(1)];
  const archive = await written(t, kept, origin, made);
  const alone = describeExportReplay(await replayed(t, madeUp, archive));
  assert.match(alone, /the key of the former log came with its archive: give --former-vkey/);
  const exported = await written(t, textsOf(madeUp), nextOrigin);
  const formerVkey = sampleVkey(origin);
  const held = describeExportReplay(await replayDirectory(exported, { former: archive, formerVkey }));
  assert.match(held, /^NOT REPLAYED: the archive: the checkpoint/);
  const honest = await written(t, textsOf(continued()), nextOrigin);
  const former = await written(t, kept, origin);
  const well = await replayDirectory(honest, { former, formerVkey });
  assert.deepEqual(kindsOf(well), []);
  assert.doesNotMatch(describeExportReplay(well), /came with its archive/);
  const folder = await written(t, kept, origin);
  const none = await replayDirectory(folder, { former: folder });
  assert.match(describeExportReplay(none), /this one continues none/);
});

test('verification says which log is continued, and what a checkpoint of a former log is', async (t) => {
  const folder = await written(t, textsOf(continued()), nextOrigin);
  const text = describeVerification(await verifyDirectory(folder));
  assert.match(text, /\ncontinues another log: `[^`]+`, whose last checkpoint held has \d+ entries/);
  const former = await verifyDirectory(folder, { since: held });
  assert.match(
    describeVerification(former),
    /^NOT VERIFIED: the held checkpoint is of `[^`]+`, a former log/,
  );
  const later = signSample([...lived, lived[0] ?? {}].map(logText)).checkpoint;
  const longer = await verifyDirectory(folder, { since: later });
  assert.match(
    describeVerification(longer),
    /what lies between entry \d+ and entry \d+ was lost and is cited nowhere/,
  );
  const foreign = signSample(kept, 'gateway.example/another').checkpoint;
  const refused = await verifyDirectory(folder, { since: foreign });
  assert.match(describeVerification(refused), /the checkpoint is of another log/);
});

// Tries exports with the note by which the former log's key has handed over: verified, said, and used beside an archive.

import assert from 'node:assert/strict';
import { type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { type NoteSigner, signSuccession } from '@countersign/core/ledger/succession';
import { describeVerification } from '../ledger/describe-verification.ts';
import { nodeVerifying } from '../ledger/node-verifying.ts';
import { verifyDirectory } from '../ledger/verify-directory.ts';
import { writeExport } from '../ledger/write-export.ts';
import { describeExportReplay } from './describe-replay.ts';
import { replayDirectory } from './replay-directory.ts';
import { origin } from './sample-changes.ts';
import { signSample } from './sample-export.ts';
import { anotherKey, sampleKey, sampleVkey, verifierKeyOf } from './sample-key.ts';
import { logText, makeLog } from './sample-log.ts';

const nextOrigin = `${origin}/2`;
const lived = makeLog().entries.map(logText);
/** What the backup has. */
const kept = lived.slice(0, -1);
const formerKey = sampleKey();
const held = signSample(lived).checkpoint;

function signer(key: KeyObject, name: string): NoteSigner {
  return { key: verifierKeyOf(key, name), sign: (message) => sign(null, message, key) };
}

function endOf(texts: readonly string[]) {
  const { checkpoint } = parseSignedCheckpoint(signSample(texts).checkpoint) ?? {};
  assert.ok(checkpoint !== undefined);
  return checkpoint;
}

/** What the former log's key signs when its log ends with these entries. */
const noteOf = (texts: readonly string[], former = formerKey, name = origin): string =>
  signSuccession(nodeVerifying.utf8, endOf(texts), signer(former, name), signer(sampleKey(), nextOrigin));

/** The beginning of the new log: it is not replayed whole here. */
function opened(previous: string | undefined): readonly string[] {
  const [first] = makeLog().entries;
  const opening = { origin: nextOrigin, vkey: sampleVkey(nextOrigin), previous };
  return [logText({ ...first, sv: 1_000, log: nextOrigin, opened: opening })];
}

async function written(t: TestContext, texts: readonly string[], name = nextOrigin, succession?: string) {
  const room = mkdtempSync(join(tmpdir(), 'succession-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const folder = join(room, 'export');
  await writeExport(folder, {
    ...signSample(texts, name),
    ...(succession === undefined ? {} : { succession }),
  });
  return folder;
}

const verdict = async (folder: string, options = {}): Promise<string> =>
  describeVerification(await verifyDirectory(folder, options));

test('an export says from where its log goes on, and whether the former key has handed over', async (t) => {
  const without = await verdict(await written(t, opened(held)));
  assert.match(without, /^verified: .*\n(?:.*\n)*not shown: that the former log’s own key has handed over/);
  const folder = await written(t, opened(held), nextOrigin, noteOf(kept));
  const text = await verdict(folder);
  const { size, root } = endOf(kept);
  const hex = Buffer.from(root).toString('hex');
  assert.ok(
    text.includes(
      `goes on from \`${origin}\`, which ended with ${size} entries, root ${hex}: its key has signed that, and this log’s key: ${sampleVkey(origin)}`,
    ),
    text,
  );
  assert.match(text, /the verifier key came with the export: give --vkey/);
  const result = await verifyDirectory(folder);
  assert.deepEqual(result.ok && result.handover, {
    origin,
    verifierKey: sampleVkey(origin),
    size,
    root: hex,
  });
});

test('whoever kept the former log’s key knows the new one by it', async (t) => {
  const folder = await written(t, opened(held), nextOrigin, noteOf(kept));
  const result = await verifyDirectory(folder, { formerVkey: sampleVkey(origin) });
  assert.equal(result.ok && result.key, 'former');
  assert.match(describeVerification(result), /the former log’s key, which you gave, has handed over to it/);
  const both = await verifyDirectory(folder, {
    formerVkey: sampleVkey(origin),
    vkey: sampleVkey(nextOrigin),
  });
  assert.equal(both.ok && both.key, 'given');
  const another = await verdict(folder, { formerVkey: sampleVkey(`${origin}x`) });
  assert.match(another, /^NOT VERIFIED: `succession` is of another key than the former log’s that was given/);
  const none = await verdict(await written(t, opened(held)), { formerVkey: sampleVkey(origin) });
  assert.match(none, /^NOT VERIFIED: `succession` is not there/);
});

test('a note that is none, of another log, of another key, or beside a log that continues none, is refused', async (t) => {
  const folder = await written(t, opened(held), nextOrigin, noteOf(kept));
  const refused = async (note: string, why: RegExp) => {
    writeFileSync(join(folder, 'succession'), note);
    assert.match(await verdict(folder), why);
  };
  await refused('', /^NOT VERIFIED: `succession` is no note of a log that hands over/);
  await refused(held, /is no note of a log/);
  const good = noteOf(kept);
  await refused(
    good.replace(`\n${endOf(kept).size}\n`, '\n1\n'),
    /was not signed by the key of the former log/,
  );
  const elsewhere = signSuccession(
    nodeVerifying.utf8,
    endOf(kept),
    signer(formerKey, origin),
    signer(anotherKey(), nextOrigin),
  );
  await refused(elsewhere, /hands over to another log, or to another key of it/);
  // Whoever has the new log's key can make up a former one; its first entry cites what the true one signed.
  await refused(
    noteOf(kept, anotherKey()),
    /is of another log or key than the checkpoint that the first entry cites/,
  );
  await refused(noteOf(kept, formerKey, `${origin}/7`), /than the checkpoint that the first entry cites/);
  writeFileSync(join(folder, 'succession'), good);
  assert.match(await verdict(folder), /^verified/);
  const first = await written(t, opened(undefined), nextOrigin, good);
  assert.match(await verdict(first), /than the checkpoint that the first entry cites/);
  await assert.rejects(written(t, opened(held), nextOrigin, elsewhere), /does not hand over to this one/);
});

test('an archive must end where the former key has signed that its log ended', async (t) => {
  const folder = await written(t, opened(held), nextOrigin, noteOf(kept));
  const archive = await written(t, kept, origin);
  const text = describeExportReplay(await replayDirectory(folder, { former: archive }));
  assert.match(text, /shown: the key of the archive is the one that has handed over to this log/);
  assert.doesNotMatch(text, /came with its archive/);
  // Signed by the same key: an archive that was cut after it, or goes on behind it.
  for (const other of [kept.slice(0, -1), lived]) {
    const result = await replayDirectory(folder, { former: await written(t, other, origin) });
    assert.match(
      describeExportReplay(result),
      /^NOT REPLAYED: the former log’s key has signed that `[^`]+` ended with \d+ entries, and the archive is of another end or key/,
    );
  }
});

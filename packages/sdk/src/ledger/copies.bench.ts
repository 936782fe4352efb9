// Owns the measurement of copies: how long each format takes to make, and the check of all of them. Takes the number of
// entries, 100,000 if not given.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyFormats, copyForms } from '@countersign/core/ledger/copies/formats';
import { sampleEntries } from '@countersign/core/ledger/copies/sample-entries.support';
import { encodeEntry } from '@countersign/core/ledger/entry';
import { signSample } from '../replay/sample-export.ts';
import { copiedEntries } from './copied-entries.ts';
import { openExport } from './read-export.ts';
import { verifyDirectory } from './verify-directory.ts';
import { writeExport } from './write-export.ts';

const size = Number(process.argv[2] ?? 100_000);
const texts = sampleEntries.map((entry) => encodeEntry(entry));
const sample = signSample(Array.from({ length: size }, (_, at) => texts[at % texts.length] ?? ''));

async function timed(what: string, act: () => unknown): Promise<void> {
  const since = performance.now();
  await act();
  const memory = Math.round(process.memoryUsage.rss() / 1_048_576);
  console.log(`${what}: ${((performance.now() - since) / 1000).toFixed(2)} s, ${memory} MiB`);
}

const room = mkdtempSync(join(tmpdir(), 'copies-bench-'));
const directory = join(room, 'audit');
try {
  await timed('export without copies', () => writeExport(directory, sample));
  const source = openExport(directory);
  await timed('entries read and decoded', () => {
    for (const _ of copiedEntries(source, size));
  });
  for (const format of copyFormats) {
    const { line } = copyForms[format];
    await timed(`${format}, made of an export`, () => {
      for (const copied of copiedEntries(source, size)) line(copied);
    });
  }
  await timed('export with all copies', () => writeExport(directory, { ...sample, copies: copyFormats }));
  await timed('verification without copies', () => verifyDirectory(directory, { copies: false }));
  await timed('verification with all copies', () => verifyDirectory(directory));
  for (const { file } of Object.values(copyForms))
    console.log(`${file}: ${(statSync(join(directory, file)).size / 1_048_576).toFixed(1)} MiB`);
} finally {
  rmSync(room, { recursive: true, force: true });
}

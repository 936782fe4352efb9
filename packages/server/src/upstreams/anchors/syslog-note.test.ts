// Tests that a checkpoint's syslog message is one to a strict reader, and short enough for every receiver.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCheckpoint } from '@countersign/core/ledger/checkpoint';
import { formatNote } from '@countersign/core/ledger/note';
import { leastTaken, readSyslog, usuallyTaken } from '@countersign/core/syslog-reader.support';
import { syslogNote } from './syslog-note.ts';

/** As long as an organization's id. */
const org = `org_${'0'.repeat(26)}`;

function noteOf(origin: string): string {
  const size = Number.MAX_SAFE_INTEGER;
  const text = formatCheckpoint({ origin, size, root: new Uint8Array(32).fill(255), extensions: [] });
  const signature = { name: origin, id: new Uint8Array(4), payload: new Uint8Array(64).fill(251) };
  return formatNote({ text, signatures: [signature] });
}

function sent(origin: string, node: string) {
  const bytes = Buffer.from(syslogNote(noteOf(origin), { node, now: () => Date.UTC(2026, 10, 28) }), 'utf8');
  return { bytes, message: readSyslog(bytes) };
}

test('whatever an origin and a node are named, the message is one of RFC 5424, and has the note’s parts', () => {
  for (const origin of [`gateway.example/${org}`, 'a"]\\[/b', 'bücher.example/😀', '\u202eb', '%n%s'])
    for (const node of ['n1', '', 'a b', 'rack[7]:"1"\\', 'é', '\ud83d', '2001:db8::7', 'h'.repeat(300)]) {
      const { message } = sent(origin, node);
      assert.deepEqual([message.facility, message.severity, message.data], [13, 6, []]);
      assert.deepEqual(
        [message.app, message.process, message.kind],
        ['countersign', undefined, 'checkpoint'],
      );
      assert.equal(message.timestamp, '2026-11-28T00:00:00.000Z');
      const parts = /^origin=(\S+) size=9007199254740991 root=\/{42}8= key=(\S+) signature=AAAAA\S+$/;
      assert.deepEqual(parts.exec(message.text ?? '')?.slice(1), [origin, origin]);
    }
});

test('every receiver takes it for a host of 52 characters, and a usual one for the longest that there is', () => {
  const node = 'n'.repeat(63);
  assert.ok(sent(`${'h'.repeat(52)}/${org}`, node).bytes.length <= leastTaken);
  assert.ok(sent(`${'h'.repeat(253)}/${org}`, node).bytes.length <= usuallyTaken);
});

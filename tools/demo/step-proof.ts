// Owns the demo's steps about evidence: an export that is verified without the server, an edited one, and a replay.

import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { textAt } from './json.ts';
import { type Scene, who } from './scene.ts';
import type { People } from './step-people.ts';

/** What somebody outside keeps from an early day: the log's verifier key and a checkpoint. Paths of two files. */
export type Kept = { readonly vkey: string; readonly checkpoint: string };

/** Fetches and keeps both, as an auditor would on the first day. */
export async function keepCheckpoint(scene: Scene): Promise<Kept> {
  const { folder, manage } = scene.house;
  const answer = await manage('GET', '/ledger/checkpoint');
  const kept = { vkey: join(folder, 'vkey.kept'), checkpoint: join(folder, 'checkpoint.kept') };
  writeFileSync(kept.vkey, textAt(answer, 'verifierKey'));
  writeFileSync(kept.checkpoint, textAt(answer, 'checkpoint'));
  return kept;
}

/** Somebody asks who did it, on whose authority, and how they know. */
export async function whoDidIt(scene: Scene, record: string, kept: Kept): Promise<void> {
  const { say } = scene;
  say.step('Who did this, on whose authority, and was the log edited?');
  say.asked(`countersign who ${record} --vkey "$(cat vkey.kept)"`);
  const told = await who(scene, record, readFileSync(kept.vkey, 'utf8'));
  say.answered(...told.lines);
  const all = told.lines.join('\n');
  say.claim(/^Carol \(user usr_\S+, member\)/.test(all), 'it names a person and her role');
  say.claim(/by a virtual key|trusted issuer|vouched/.test(all), 'it says how the identity was proven');
  say.claim(/policy version \d+/.test(all), 'it names the version of the policy');
  say.claim(told.isProven && /proof: verified/.test(all), 'it checked the proof before it spoke');
}

/** The bundles of entries in an export. */
function bundles(directory: string): readonly string[] {
  const root = join(directory, 'tile', 'entries');
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath, found.name));
}

/** Writes every entry of one person under another's id, without changing any length; false if there was none. */
function forge(directory: string, { bob, carol }: People): boolean {
  let isForged = false;
  for (const path of bundles(directory)) {
    const text = readFileSync(path, 'latin1');
    const forged = text.replaceAll(bob, carol);
    isForged ||= forged !== text;
    writeFileSync(path, forged, 'latin1');
  }
  return isForged;
}

/** The server ends, its store is removed, and the export still answers. */
export async function verifyOffline(scene: Scene, kept: Kept, people: People): Promise<string> {
  const { say, house } = scene;
  say.step('The record is verified offline: no server, no store');
  const directory = join(house.folder, 'export');
  const exported = await house.cli('ledger', 'export', directory);
  const code = await house.stop();
  rmSync(house.store, { recursive: true, force: true });
  const held = ['--vkey', `@${kept.vkey}`, '--since', kept.checkpoint];
  const verified = await house.cli('ledger', 'verify', directory, ...held);
  const forgery = join(house.folder, 'forgery');
  cpSync(directory, forgery, { recursive: true });
  const isForged = forge(forgery, people);
  const refused = await house.cli('ledger', 'verify', forgery, ...held);
  say.asked(
    'countersign ledger export ./export; then the server is stopped and its store removed',
    'countersign ledger verify ./export --vkey @vkey.kept --since checkpoint.kept',
    'the same for a copy in which somebody wrote Carol\u2019s id wherever Bob\u2019s had been',
  );
  say.answered(verified.out, `of the copy: ${refused.out}`);
  say.evidence(exported.out.replaceAll(house.folder, '.'), `exit codes ${verified.code} and ${refused.code}`);
  say.claim(code === 0 && !existsSync(house.store), 'the server had ended in order, and its store is gone');
  say.claim(verified.code === 0 && verified.out.startsWith('verified: '), 'the export verifies');
  say.claim(
    /not protected against the operator/.test(verified.out),
    'it says what it does not protect: entries after the last checkpoint that somebody else keeps',
  );
  say.claim(
    isForged && refused.code === 1 && refused.out.startsWith('NOT VERIFIED'),
    'the edited copy does not',
  );
  return directory;
}

/** Every decision is taken again from the export alone. */
export async function replay(scene: Scene, directory: string, kept: Kept): Promise<void> {
  const { say, house } = scene;
  say.step('Every decision is taken again, from the export alone');
  say.asked('countersign ledger replay ./export --vkey @vkey.kept');
  const ran = await house.cli('ledger', 'replay', directory, '--vkey', `@${kept.vkey}`);
  say.answered(`${ran.out}${ran.err}`);
  const retaken = Number(/(\d+) decisions taken again, no difference/.exec(ran.out)?.[1] ?? 0);
  say.evidence(`exit code ${ran.code}`);
  say.claim(ran.code === 0 && retaken > 0, `${retaken} decisions, 0 differences`);
}

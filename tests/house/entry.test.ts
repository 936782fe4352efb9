// Tries to break the two ways in, `npm` scripts and `./countersign`: other directories, links, old locks, half installations.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { serverEnvironment, serverFlags } from '../../tools/runtime-flags.mjs';

const root = join(import.meta.dirname, '..', '..');
const scratch = mkdtempSync(join(tmpdir(), 'entry-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const lockText = JSON.stringify({
  lockfileVersion: 3,
  packages: {
    '': { name: 'x' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '1.0.0', optional: true },
  },
});

/** A checkout with our way in and a CLI that prints what it was started with; installed as its lockfile says. */
function layCheckout(name: string, laid: string = lockText): string {
  const folder = join(scratch, name);
  for (const path of ['packages/cli/src', 'packages/server/src', 'node_modules'])
    mkdirSync(join(folder, path), { recursive: true });
  cpSync(join(root, 'countersign'), join(folder, 'countersign'));
  cpSync(join(root, 'tools/run.mjs'), join(folder, 'tools/run.mjs'));
  cpSync(join(root, 'tools/runtime-flags.mjs'), join(folder, 'tools/runtime-flags.mjs'));
  cpSync(join(root, 'tools/prepare'), join(folder, 'tools/prepare'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "x", "type": "module" }');
  writeFileSync(join(folder, 'package-lock.json'), lockText);
  writeFileSync(join(folder, 'node_modules/.package-lock.json'), laid);
  writeFileSync(
    join(folder, 'packages/cli/src/main.ts'),
    'const told: readonly string[] = process.argv.slice(2);\nconsole.log(JSON.stringify({ told, cwd: process.cwd() }));\nprocess.exitCode = 3;\n',
  );
  writeFileSync(
    join(folder, 'packages/server/src/main.ts'),
    "process.on('SIGTERM', () => { console.log('drained'); process.exit(7); });\nsetInterval(() => {}, 1000);\nconsole.log('up ' + process.argv.slice(2).join(' '));\n",
  );
  return folder;
}

/** An npm that says that it was called, and installs nothing. */
function layNpm(folder: string, code: number): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    join(bin, 'npm'),
    `#!/bin/sh\necho "npm $*" >> "${folder}/npm.log"\nsleep 0.3\nexit ${code}\n`,
  );
  chmodSync(join(bin, 'npm'), 0o755);
  const { npm_execpath: _, ...env } = process.env;
  return { ...env, PATH: `${bin}:${join(process.execPath, '..')}:${env.PATH ?? ''}` };
}

test('./countersign is POSIX shell and parses', () => {
  const text = readFileSync(join(root, 'countersign'), 'utf8');
  assert.equal(text.split('\n')[0], '#!/bin/sh');
  assert.equal(spawnSync('sh', ['-n', join(root, 'countersign')]).status, 0);
  assert.ok(text.includes('set -eu'));
  assert.doesNotMatch(text, /\[\[|\blocal\b|\bfunction\b|\$\{[^}]*\/[^}]*\}|<<<|\bsource\b/);
});

test('./countersign keeps arguments, directory and exit code, from elsewhere and through links', () => {
  const folder = layCheckout('checkout with space');
  const elsewhere = join(scratch, 'elsewhere');
  mkdirSync(elsewhere);
  symlinkSync(join(folder, 'countersign'), join(elsewhere, 'one'));
  symlinkSync('one', join(elsewhere, 'two'));
  const args = ['keys', 'create', '--name', 'a "b" $c', '--', '*'];
  for (const command of [join(folder, 'countersign'), join(elsewhere, 'two'), './two']) {
    const run = spawnSync(command, args, { cwd: elsewhere, encoding: 'utf8', env: layNpm(folder, 1) });
    assert.equal(run.status, 3, run.stderr);
    assert.deepEqual(JSON.parse(run.stdout), { told: args, cwd: elsewhere });
    assert.equal(run.stderr, '');
  }
});

test('every way to start the server starts Node alike', () => {
  const script = readFileSync(join(root, 'countersign'), 'utf8');
  for (const flag of serverFlags) assert.ok(script.includes(` ${flag} `), `countersign lacks ${flag}`);
  for (const [name, value] of Object.entries(serverEnvironment))
    assert.ok(script.includes(`export ${name}="\${${name}:-${value}}"`), `countersign does not set ${name}`);
});

test('what is installed by hand is taken as it is, and stamped', () => {
  const folder = layCheckout('by-hand');
  const run = spawnSync(process.execPath, ['tools/run.mjs', 'cli'], {
    cwd: folder,
    encoding: 'utf8',
    env: layNpm(folder, 1),
  });
  assert.equal(run.status, 3, run.stderr);
  assert.match(readFileSync(join(folder, 'node_modules/.countersign-stamp'), 'utf8'), /^[0-9a-f]{64}\n$/);
});

test('a failed installation is said in one sentence, leaves no stamp and no lock, and is tried again', () => {
  const folder = layCheckout('failing', '{}');
  for (let i = 0; i < 2; i += 1) {
    const run = spawnSync(process.execPath, ['tools/run.mjs', 'cli'], {
      cwd: folder,
      encoding: 'utf8',
      env: layNpm(folder, 1),
    });
    assert.equal(run.status, 1);
    assert.match(run.stderr, /the installation from package-lock\.json failed/);
    assert.equal(run.stdout, '');
  }
  assert.equal(readFileSync(join(folder, 'npm.log'), 'utf8').trim().split('\n').length, 2);
});

test('of several that start at once one installs, and a lock of a dead process is taken over', async () => {
  const folder = layCheckout('at-once', '{}');
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  mkdirSync(join(folder, '.cache'));
  writeFileSync(join(folder, '.cache/prepare.lock'), `${dead}\n1\nold-nonce\n`);
  const env = layNpm(folder, 0);
  const codes = await Promise.all(
    [1, 2, 3, 4, 5].map(
      () =>
        new Promise<number | null>((resolve) => {
          const child = spawn(process.execPath, ['tools/run.mjs', 'cli'], {
            cwd: folder,
            env,
            stdio: 'ignore',
          });
          child.once('exit', (code) => resolve(code));
        }),
    ),
  );
  assert.deepEqual(codes, [3, 3, 3, 3, 3]);
  assert.equal(readFileSync(join(folder, 'npm.log'), 'utf8').trim().split('\n').length, 1);
});

test('start passes flags and one request to stop, and ends as the server ended', async () => {
  const folder = layCheckout('server');
  const child = spawn(process.execPath, ['tools/run.mjs', 'start', '--', '--listen', 'x'], {
    cwd: folder,
    env: layNpm(folder, 1),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said === 'up --listen x\n') {
      child.kill('SIGTERM');
      child.kill('SIGTERM');
    }
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(said, 'up --listen x\ndrained\n');
  assert.equal(code, 7);
});

test('an unknown command is a wrong usage', () => {
  const run = spawnSync(process.execPath, ['tools/run.mjs', 'launch'], { cwd: root, encoding: 'utf8' });
  assert.equal(run.status, 2);
  assert.match(run.stderr, /unknown command `launch`; use one of start, test/);
});

test('a Node without the pinned one is refused with what to do, and a newer one is taken', async () => {
  const runtime: { readonly findRuntime: (root: string, own: object) => unknown } = await import(
    join(root, 'tools/prepare/runtime.mjs')
  );
  const at = (version: string): unknown =>
    runtime.findRuntime(scratch, {
      platform: 'sunos',
      arch: 'x64',
      versions: { node: version },
      execPath: 'own',
    });
  assert.deepEqual(at('25.1.0'), { ok: true, path: 'own' });
  assert.match(JSON.stringify(at('20.20.2')), /no Node 24 for sunos-x64.*install Node 24 or newer/);
});

// Owns where the load tools come from: C built at run time where there is a compiler, else TypeScript.

import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Tool = { readonly command: string; readonly args: readonly string[] };
export type LoadTools = { readonly mock: Tool; readonly load: Tool; readonly kind: 'c' | 'typescript' };

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Any C compiler of this name does; Debian's package is `gcc`. */
const compiler = 'gcc';

function compile(source: string, target: string): boolean {
  if (modifiedAt(target) > modifiedAt(source)) return true;
  const built = spawnSync(compiler, ['-O2', '-o', target, source], { encoding: 'utf8', timeout: 60_000 });
  if (built.status === 0) return true;
  // No compiler, or not Linux: the twins in TypeScript do.
  if (built.stderr) process.stderr.write(`${built.stderr}\n`);
  return false;
}

function inTypeScript(file: URL): Tool {
  return { command: process.execPath, args: [fileURLToPath(file)] };
}

/** The tools as commands. Both are of one kind, so that a run's numbers belong together. */
export function buildTools(): LoadTools {
  const bin = join(import.meta.dirname, '..', 'bin');
  mkdirSync(bin, { recursive: true });
  const paths = ['mock', 'lg'].map((name) => ({
    source: join(import.meta.dirname, `${name}.c`),
    target: join(bin, name),
  }));
  if (process.platform === 'linux' && paths.every(({ source, target }) => compile(source, target))) {
    return {
      mock: { command: join(bin, 'mock'), args: [] },
      load: { command: join(bin, 'lg'), args: [] },
      kind: 'c',
    };
  }
  return {
    mock: inTypeScript(new URL('./mock.ts', import.meta.url)),
    load: inTypeScript(new URL('./load.ts', import.meta.url)),
    kind: 'typescript',
  };
}

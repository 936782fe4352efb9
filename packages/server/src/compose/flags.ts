// Owns the flags of a start: a few settings by name, each of which wins over its variable.

import { parseArgs } from 'node:util';
import { unfitSetting } from './settings.ts';

const flags = {
  listen: 'COUNTERSIGN_LISTEN',
  'public-url': 'COUNTERSIGN_PUBLIC_URL',
  'data-dir': 'COUNTERSIGN_DATA_DIR',
  config: 'COUNTERSIGN_CONFIG',
} as const;

/** Those whose value says alone whether it can be used. */
const checked = [
  ['listen', flags.listen],
  ['public-url', flags['public-url']],
  ['data-dir', flags['data-dir']],
] as const;

export type ReadFlags =
  | { readonly kind: 'start'; readonly env: Readonly<Record<string, string>>; readonly json: boolean }
  | { readonly kind: 'help' }
  /** Written wrongly: nothing was done. */
  | { readonly kind: 'refused'; readonly why: string };

const names = Object.keys(flags)
  .map((name) => `--${name}`)
  .join(', ');

/** The variables that the words of a start stand for. */
export function readFlags(words: readonly string[]): ReadFlags {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        listen: text,
        'public-url': text,
        'data-dir': text,
        config: text,
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) return { kind: 'help' };
    const env = Object.entries(flags).flatMap(([name, variable]) => {
      const value = Object.entries(values).find(([given]) => given === name)?.[1];
      return typeof value === 'string' ? [[variable, value] as const] : [];
    });
    for (const [name, variable] of checked) {
      const why = values[name] === undefined ? undefined : unfitSetting(variable, values[name]);
      if (why !== undefined) return { kind: 'refused', why: `\`--${name}\` ${why}` };
    }
    return { kind: 'start', env: Object.fromEntries(env), json: values.json === true };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const word = /'(?:-\w, )?([^'\s]+)/.exec(error.message)?.[1] ?? '';
    return {
      kind: 'refused',
      why: `\`${word}\` is no flag, or lacks its value: there are ${names}, --json and --help`,
    };
  }
}

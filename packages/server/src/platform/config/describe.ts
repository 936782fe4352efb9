// Owns showing the settings to people: `config print`, and the reference page that is made from the schema.

import { isObject } from '@countersign/core/json';
import { formatListen } from './fields.ts';
import type { LoadedConfig, Origin } from './load.ts';
import { type ConfigKey, settingFacts } from './schema.ts';
import { Secret } from './secret.ts';

/** One setting as shown: secrets are `[secret]`, an absent setting has no value. */
export type DescribedSetting = {
  readonly key: ConfigKey;
  readonly variable: string;
  readonly value: string | undefined;
  readonly origin: string;
};

type FlagNames = { readonly [variable: string]: string | undefined };

function showOrigin(origin: Origin | undefined, flags: FlagNames): string {
  switch (origin?.kind) {
    case undefined:
      return 'not set';
    case 'default':
      return 'default';
    case 'derived':
      return 'derived';
    case 'file':
      return `file ${origin.path}`;
    case 'secret_file':
      return `secret file ${origin.path}`;
    case 'environment':
      return flags[origin.variable] === undefined
        ? `environment ${origin.variable}`
        : `flag ${flags[origin.variable]}`;
  }
}

function showValue(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (value instanceof Secret) return String(value);
  if (Array.isArray(value)) return value.join(', ');
  if (isObject(value) && typeof value.host === 'string' && typeof value.port === 'number') {
    return formatListen({ host: value.host, port: value.port });
  }
  return String(value);
}

/** Every setting with its value and where it came from, in the schema's order. `flags` stood in for their variables. */
export function describeConfig(loaded: LoadedConfig, flags: FlagNames = {}): readonly DescribedSetting[] {
  return settingFacts().map(({ key, variable }) => ({
    key,
    variable,
    value: showValue(loaded.config[key]),
    origin: showOrigin(loaded.origins[key], flags),
  }));
}

/** The settings as aligned lines of text: name, value, origin. */
export function formatConfig(settings: readonly DescribedSetting[]): string {
  const width = Math.max(...settings.map((setting) => setting.key.length));
  return settings
    .map(({ key, value, origin }) => `${key.padEnd(width)}  ${value ?? '-'}  (${origin})\n`)
    .join('');
}

function showFallback(fallback: unknown): string {
  if (fallback === undefined) return '';
  return Array.isArray(fallback) ? 'empty' : `\`${String(fallback)}\``;
}

/** The reference page of all settings, in Markdown. docs/reference/configuration.md is this text. */
export function configReference(): string {
  const rows = settingFacts().map(({ key, variable, secret, description, fallback }) => {
    const variables = secret ? `\`${variable}\` or \`${variable}_FILE\`` : `\`${variable}\``;
    return `| \`${secret ? `${key}File` : key}\` | ${variables} | ${showFallback(fallback)} | ${description} |`;
  });
  return [
    '# Configuration',
    '',
    'Made from the schema in `packages/server/src/platform/config/schema.ts`; a test keeps the two equal.',
    '',
    'Values come from the defaults, then from the JSON file that `COUNTERSIGN_CONFIG` names, then from the',
    'environment: the later wins. Unknown settings and unknown `COUNTERSIGN_` variables stop the start.',
    'Secrets never stand in the JSON file: it may name a file that holds one. Lists in variables have commas between.',
    '`countersign config print` shows every value, where it came from, and masks secrets.',
    '',
    '| setting in the file | variable | default | what it is |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

// Owns reading this process's settings for each way to start it, and showing them.

import { readFileSync } from 'node:fs';
import { clientVariables } from '@countersign/contract/client-variables';
import { type DescribedSetting, describeConfig, formatConfig } from '../platform/config/describe.ts';
import { ConfigError, loadConfig } from '../platform/config/load.ts';
import type { Config } from '../platform/config/schema.ts';

type Env = Readonly<Record<string, string | undefined>>;

const alsoKnown = clientVariables;

/** The settings of an environment and of the file that it names. Throws a ConfigError. */
export function readSettings(env: Env): Config {
  return loadConfig(env, (path) => readFileSync(path, 'utf8'), { alsoKnown }).config;
}

export type Described =
  | { readonly kind: 'described'; readonly settings: readonly DescribedSetting[] }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Every setting with its value and origin, secrets masked; or why the settings cannot be used. `flags` names the
 * flags that stand in `env` for their variables.
 */
export function describeSettings(env: Env, readText: (path: string) => string, flags: Env = {}): Described {
  try {
    return { kind: 'described', settings: describeConfig(loadConfig(env, readText, { alsoKnown }), flags) };
  } catch (error) {
    if (error instanceof ConfigError) return { kind: 'refused', why: error.message };
    throw error;
  }
}

/** Why a value cannot be that of this variable, such as `must be …`; undefined if it can. */
export function unfitSetting(variable: string, value: string): string | undefined {
  const described = describeSettings({ [variable]: value }, () => '');
  if (described.kind === 'described') return undefined;
  const [, why = described.why] = described.why.split(`(${variable}): `);
  return why;
}

/** Settings as aligned lines. `safe` makes a value fit for a terminal. */
export function showSettings(settings: readonly DescribedSetting[], safe: (text: string) => string): string {
  return formatConfig(
    settings.map((setting) => ({
      ...setting,
      value: setting.value === undefined ? undefined : safe(setting.value),
      origin: safe(setting.origin),
    })),
  );
}

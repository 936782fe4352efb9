// Owns reading the settings: defaults, then one file, then the environment, with where each value came from.

import { hostname } from 'node:os';
import { join } from 'node:path';
import { issueText } from '@countersign/core/issue-text';
import { isObject } from '@countersign/core/json';
import { parseJson } from '@countersign/core/parse-json';
import { anchorProblems } from './anchor-problems.ts';
import { formatListen, reachable } from './fields.ts';
import {
  type Config,
  type ConfigKey,
  configSchema,
  isConfigKey,
  type SettingFacts,
  settingFacts,
} from './schema.ts';
import { suggest } from './suggest.ts';

/** Where a value came from. `derived` values were made from others. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'derived' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'secret_file'; readonly path: string };

export type LoadedConfig = {
  readonly config: Config;
  readonly origins: Readonly<Partial<Record<ConfigKey, Origin>>>;
};

export type LoadOptions = {
  /** Variables that other parts read, such as the command line's: not refused as unknown. */
  readonly alsoKnown?: readonly string[];
  readonly hostName?: string;
};

/** Settings that cannot be used, every problem in one error; each problem names the setting and what to do. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configuration cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

type Env = Readonly<Record<string, string | undefined>>;
type ReadFile = (path: string) => string;
type Raw = { readonly value: unknown; readonly origin: Origin };
type Sources = { readonly values: Map<ConfigKey, Raw>; readonly problems: string[] };

const configVariable = 'COUNTERSIGN_CONFIG';

function unknownName(kind: string, name: string, known: readonly string[]): string {
  const near = suggest(name, known);
  return `unknown ${kind} \`${name}\`; ${near === undefined ? 'remove it' : `did you mean \`${near}\`?`}`;
}

function readText(readFile: ReadFile, path: string, what: string, problems: string[]): string | undefined {
  try {
    return readFile(path);
  } catch (error) {
    const code = isObject(error) && typeof error.code === 'string' ? error.code : 'unreadable';
    problems.push(`${what} \`${path}\` cannot be read (${code}); check the path and its permissions`);
    return undefined;
  }
}

function readConfigFile(env: Env, facts: readonly SettingFacts[], readFile: ReadFile, into: Sources): void {
  const path = env[configVariable];
  if (path === undefined || path === '') return;
  const text = readText(readFile, path, `file of ${configVariable}`, into.problems);
  if (text === undefined) return;
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch {
    // The parser's message may quote the text around the fault, so it is not passed on.
  }
  if (!isObject(parsed)) {
    into.problems.push(
      `file \`${path}\` is not a JSON object; write one such as {"listen": "127.0.0.1:7070"}`,
    );
    return;
  }
  const known = facts.map((fact) => (fact.secret ? `${fact.key}File` : fact.key));
  for (const [name, value] of Object.entries(parsed)) {
    const secret = facts.find((fact) => fact.secret && (name === fact.key || name === `${fact.key}File`));
    if (secret?.key === name) {
      into.problems.push(
        `file \`${path}\` holds the secret \`${name}\`; give it as \`${name}File\` or ${secret.variable}`,
      );
    } else if (secret !== undefined && typeof value === 'string') {
      setSecretFile(secret.key, value, readFile, into);
    } else if (secret === undefined && isConfigKey(name)) {
      into.values.set(name, { value, origin: { kind: 'file', path } });
    } else {
      into.problems.push(`file \`${path}\`: ${unknownName('setting', name, known)}`);
    }
  }
}

function setSecretFile(key: ConfigKey, path: string, readFile: ReadFile, into: Sources): void {
  const text = readText(readFile, path, `secret file of \`${key}\``, into.problems);
  if (text !== undefined) into.values.set(key, { value: text, origin: { kind: 'secret_file', path } });
}

function readEnvironment(env: Env, facts: readonly SettingFacts[], readFile: ReadFile, into: Sources): void {
  for (const { key, variable, secret } of facts) {
    const value = env[variable];
    const file = secret ? env[`${variable}_FILE`] : undefined;
    if (value !== undefined && file !== undefined) {
      into.problems.push(`${variable} and ${variable}_FILE are both set; keep one`);
    } else if (file !== undefined) {
      setSecretFile(key, file, readFile, into);
    } else if (value !== undefined) {
      into.values.set(key, { value, origin: { kind: 'environment', variable } });
    }
  }
}

function refuseUnknownVariables(
  env: Env,
  facts: readonly SettingFacts[],
  alsoKnown: readonly string[],
  problems: string[],
): void {
  const own = facts.flatMap((fact) =>
    fact.secret ? [fact.variable, `${fact.variable}_FILE`] : [fact.variable],
  );
  const known = [configVariable, ...own];
  for (const name of Object.keys(env)) {
    if (!name.startsWith('COUNTERSIGN_') || known.includes(name) || alsoKnown.includes(name)) continue;
    problems.push(unknownName('variable', name, known));
  }
}

/**
 * The settings of this process: defaults < the JSON file that `COUNTERSIGN_CONFIG` names < the environment.
 * Secrets come from their variable, from `<variable>_FILE`, or from `<setting>File` in the JSON file.
 * Throws a ConfigError that lists every problem; it never holds a secret.
 */
export function loadConfig(env: Env, readFile: ReadFile, options: LoadOptions = {}): LoadedConfig {
  const facts = settingFacts();
  const sources: Sources = { values: new Map(), problems: [] };
  for (const { key, fallback } of facts) {
    if (fallback !== undefined) sources.values.set(key, { value: fallback, origin: { kind: 'default' } });
  }
  readConfigFile(env, facts, readFile, sources);
  readEnvironment(env, facts, readFile, sources);
  refuseUnknownVariables(env, facts, options.alsoKnown ?? [], sources.problems);
  const input = Object.fromEntries([...sources.values].map(([key, raw]) => [key, raw.value]));
  const parsed = configSchema.safeParse(input);
  const problems = [...sources.problems];
  for (const issue of parsed.error?.issues ?? []) {
    const key = String(issue.path[0] ?? '');
    const fact = facts.find((candidate) => candidate.key === key);
    problems.push(`\`${key}\` (${fact?.variable ?? key}): ${issueText(issue)}`);
  }
  if (
    parsed.data !== undefined &&
    (parsed.data.tlsCertFile === undefined) !== (parsed.data.tlsKeyFile === undefined)
  ) {
    problems.push('`tlsCertFile` and `tlsKeyFile` belong together; set both or neither');
  }
  if (parsed.data?.managementPublicUrl !== undefined && parsed.data.managementListen === undefined) {
    problems.push(
      '`managementPublicUrl` is of `managementListen`, which is not set; set it too, or remove this',
    );
  }
  if (parsed.data !== undefined) problems.push(...anchorProblems(parsed.data));
  if (problems.length > 0 || parsed.data === undefined) throw new ConfigError(problems);
  return derive(parsed.data, sources.values, options.hostName ?? hostname());
}

function derive(
  parsed: Omit<Config, 'publicUrl' | 'managementPublicUrl' | 'nodeName' | 'checkpointFile'> & {
    readonly publicUrl?: string | undefined;
    readonly managementPublicUrl?: string | undefined;
    readonly nodeName?: string | undefined;
    readonly checkpointFile?: string | undefined;
  },
  raw: ReadonlyMap<ConfigKey, Raw>,
  hostName: string,
): LoadedConfig {
  const { publicUrl, managementPublicUrl, nodeName, checkpointFile, ...rest } = parsed;
  const scheme = parsed.tlsCertFile === undefined ? 'http' : 'https';
  const everyUrl = publicUrl ?? `${scheme}://${formatListen(parsed.listen)}`;
  const { managementListen } = parsed;
  const ownUrl =
    managementListen === undefined ? everyUrl : `${scheme}://${formatListen(reachable(managementListen))}`;
  const file = checkpointFile ?? join(parsed.dataDir, 'checkpoints.log');
  const config: Config = {
    ...rest,
    publicUrl: everyUrl,
    managementPublicUrl: managementPublicUrl ?? ownUrl,
    nodeName: nodeName ?? hostName,
    ...(file === 'off' ? {} : { checkpointFile: file }),
  };
  const derived: Origin = { kind: 'derived' };
  const origins: Partial<Record<ConfigKey, Origin>> = {
    publicUrl: derived,
    managementPublicUrl: derived,
    nodeName: derived,
    checkpointFile: derived,
  };
  for (const [key, { origin }] of raw) origins[key] = origin;
  return { config, origins };
}

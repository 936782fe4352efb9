// Owns the verbs that are about the server on this machine: serve, init, owner-key, migrate, config print.

import type { Command, Flag, Invocation } from '../command.ts';
import { type ExitCode, FailedError, UsageError } from '../machine.ts';
import { safeJson, safeLine } from '../safe-text.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Flags that stand for variables of the same meaning; a flag wins over its variable. */
export const settingFlags: readonly (Flag & { readonly variable: string })[] = [
  {
    name: 'listen',
    kind: 'text',
    value: 'HOST:PORT',
    description: 'address to serve on (COUNTERSIGN_LISTEN)',
    variable: 'COUNTERSIGN_LISTEN',
  },
  {
    name: 'public-url',
    kind: 'text',
    value: 'URL',
    description: 'how others reach it; its host stays in the origin of every ledger (COUNTERSIGN_PUBLIC_URL)',
    variable: 'COUNTERSIGN_PUBLIC_URL',
  },
  {
    name: 'data-dir',
    kind: 'text',
    value: 'DIR',
    description: 'folder of the embedded store (COUNTERSIGN_DATA_DIR)',
    variable: 'COUNTERSIGN_DATA_DIR',
  },
  {
    name: 'config',
    kind: 'text',
    value: 'FILE',
    description: 'settings in JSON (COUNTERSIGN_CONFIG)',
    variable: 'COUNTERSIGN_CONFIG',
  },
];

function overrides({ flags }: Invocation): Readonly<Record<string, string>> {
  return Object.fromEntries(
    settingFlags.flatMap(({ name, variable }) => {
      const value = flags.text(name);
      return value === undefined ? [] : [[variable, value] as const];
    }),
  );
}

/** The flags that were given, by their variables. Throws a UsageError for one whose value cannot be used. */
async function checkedOverrides(invocation: Invocation): Promise<Readonly<Record<string, string>>> {
  const { unfitSetting } = await import('@countersign/server/compose/settings');
  const given = overrides(invocation);
  for (const { name, variable } of settingFlags) {
    // A file is read by the start itself: what it cannot read is no wrong usage.
    const value = name === 'config' ? undefined : given[variable];
    const why = value === undefined ? undefined : unfitSetting(variable, value);
    if (why !== undefined) throw new UsageError(`\`--${name}\` ${why}`);
  }
  return given;
}

/** The environment, with the flags that were given in the place of their variables. */
export async function serverEnv(invocation: Invocation): Promise<Env> {
  return { ...invocation.machine.env, ...(await checkedOverrides(invocation)) };
}

/** The flags that were given, by the variable that each stands for. */
function flagNames({ flags }: Invocation): Readonly<Record<string, string>> {
  const given = settingFlags.filter(({ name }) => flags.text(name) !== undefined);
  return Object.fromEntries(given.map(({ name, variable }) => [variable, `--${name}`]));
}

/** Starts the server in this process: it runs on after this, and ends the process when it has drained. */
async function runServe(invocation: Invocation): Promise<ExitCode> {
  const given = await checkedOverrides(invocation);
  const { runServer } = await import('@countersign/server/main');
  await runServer(given, invocation.json);
  return 0;
}

export const serve: Command = {
  name: 'serve',
  summary: 'start the gateway and its management API; Ctrl-C drains',
  positionals: [],
  flags: settingFlags,
  examples: ['serve', 'serve --json', 'serve --listen 0.0.0.0:7070 --public-url https://ai.example.com'],
  run: runServe,
};

async function runInit(invocation: Invocation): Promise<ExitCode> {
  const { flags, json, machine } = invocation;
  const slug = flags.text('org') ?? '';
  const ownerEmail = flags.text('owner') ?? '';
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(slug))
    throw new UsageError('`--org` takes 1 to 63 of a-z 0-9 . _ - and starts with a letter or digit');
  if (!/^[^\s@]+@[^\s@]+$/.test(ownerEmail)) throw new UsageError('`--owner` takes an e-mail address');
  const { initStore } = await import('@countersign/server/compose/init-store');
  const values = { slug, ownerEmail, ownerName: flags.text('owner-name') ?? '' };
  const made = await initStore(await serverEnv(invocation), values, (file) =>
    machine.err(
      `warning: made a master key in \`${safeLine(file)}\`: keep a copy apart from the store, without it nothing sealed can be opened\n`,
    ),
  );
  if (json) {
    machine.out(safeJson(made));
    return 0;
  }
  machine.out(`organization   ${made.organizationId}\nowner          ${made.ownerId}\n`);
  machine.out(`workspace      ${made.workspaceId}\nledger origin  ${safeLine(made.origin)}\n`);
  machine.out(`management key ${made.managementKey}\nmodels key     ${made.modelsKey}\n`);
  machine.err('the keys are shown this once: keep them now\n');
  if (/^(?:127\.|localhost[:/]|\[::1\])/.test(made.origin))
    machine.err(
      'the origin of the ledger stays: for a server that others reach, set COUNTERSIGN_PUBLIC_URL or --public-url before init\n',
    );
  return 0;
}

export const init: Command = {
  name: 'init',
  summary: 'make the organization and its owner on an empty store; prints both first keys',
  positionals: [],
  flags: [
    {
      name: 'org',
      kind: 'text',
      value: 'SLUG',
      description: 'short name of the organization',
      required: true,
    },
    { name: 'owner', kind: 'text', value: 'EMAIL', description: 'its first owner', required: true },
    {
      name: 'owner-name',
      kind: 'text',
      value: 'NAME',
      description: "the owner's name (else what the address begins with)",
    },
    ...settingFlags,
  ],
  examples: ['init --org acme --owner alice@example.com', 'init --org acme --owner alice@example.com --json'],
  run: runInit,
};

async function runOwnerKey(invocation: Invocation): Promise<ExitCode> {
  const { flags, json, machine } = invocation;
  const { recoverOwnerKey } = await import('@countersign/server/compose/init-store');
  const made = await recoverOwnerKey(await serverEnv(invocation), flags.text('owner') ?? null);
  const until = new Date(made.expiresAt).toISOString();
  machine.out(
    json
      ? safeJson({ ...made, expiresAt: until })
      : `owner          ${made.ownerId}\nmanagement key ${made.managementKey}\nexpires        ${until}\nrecord         ${made.entryId}\n`,
  );
  machine.err(
    'the key is shown this once, and ends in a day: make lasting ones with it; the ledger records it\n',
  );
  return 0;
}

export const ownerKey: Command = {
  name: 'owner-key',
  summary: 'make a management key for an owner who has none left, while the server is stopped',
  positionals: [],
  flags: [
    { name: 'owner', kind: 'text', value: 'ID|EMAIL', description: 'which owner, where there are several' },
    ...settingFlags.filter(({ name }) => name === 'data-dir' || name === 'config'),
  ],
  examples: ['owner-key', 'owner-key --owner alice@example.com --data-dir /var/lib/countersign'],
  run: runOwnerKey,
};

async function runMigrate(invocation: Invocation): Promise<ExitCode> {
  const { migrateStore } = await import('@countersign/server/compose/migrate-store');
  const report = await migrateStore(await serverEnv(invocation));
  const { json, machine } = invocation;
  const applied = report.applied.length === 0 ? 'nothing to apply' : `applied ${report.applied.join(', ')}`;
  machine.out(json ? safeJson(report) : `${applied}: the schema is at ${report.current}\n`);
  return 0;
}

export const migrate: Command = {
  name: 'migrate',
  summary: "bring the store's schema up to date; the server does the same when it starts",
  positionals: [],
  flags: settingFlags,
  examples: ['migrate', 'migrate --data-dir /var/lib/countersign'],
  run: runMigrate,
};

async function runConfigPrint(invocation: Invocation): Promise<ExitCode> {
  const { json, machine } = invocation;
  const readText = (path: string): string => Buffer.from(machine.readBytes(path)).toString('utf8');
  const { describeSettings, showSettings } = await import('@countersign/server/compose/settings');
  const described = describeSettings(await serverEnv(invocation), readText, flagNames(invocation));
  if (described.kind === 'refused') throw new FailedError(described.why);
  const { settings } = described;
  machine.out(json ? safeJson(settings) : showSettings(settings, safeLine));
  return 0;
}

export const configPrint: Command = {
  name: 'config print',
  summary: 'show every setting, its value and where it came from; secrets are masked',
  positionals: [],
  flags: settingFlags,
  examples: ['config print', 'config print --config ./countersign.json --json'],
  run: runConfigPrint,
};

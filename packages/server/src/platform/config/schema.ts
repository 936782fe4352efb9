// Owns the one schema of the process's settings: names, bounds, defaults and what each is for.

import { z } from 'zod';
import {
  allowEntry,
  baseUrl,
  bearerToken,
  cidr,
  integer,
  list,
  listenAddress,
  secretText,
  syslogUrl,
  webhookUrl,
} from './fields.ts';

const path = z.string().min(1);

/**
 * Every setting. Only facts of the process are settings: providers, policies and people are data.
 * A setting's variable is `COUNTERSIGN_` and its name in capitals, unless its metadata names another.
 */
export const configSchema = z.strictObject({
  listen: listenAddress.meta({ fallback: '127.0.0.1:7070', description: 'address and port to serve on' }),
  managementListen: listenAddress.optional().meta({
    description: 'a second address that serves management and metrics; absent: the first serves all',
  }),
  publicUrl: baseUrl
    .optional()
    .meta({ description: 'the URL by which others reach the server; absent: made from `listen`' }),
  managementPublicUrl: baseUrl.optional().meta({
    description: 'the URL by which administrators reach `managementListen`; absent: made from it',
  }),
  dataDir: path.meta({ fallback: './.countersign', description: 'folder of the embedded store and its key' }),
  databaseUrl: secretText.optional().meta({
    variable: 'DATABASE_URL',
    secret: true,
    description: 'PostgreSQL instead of the embedded store',
  }),
  masterKey: secretText.optional().meta({
    secret: true,
    description:
      'master keys, each 32 bytes in base64 or hex, with commas between; the first seals, all open; ' +
      'embedded and absent: made at first start in `dataDir`',
  }),
  tlsCertFile: path.optional().meta({ description: 'certificate chain (PEM); with `tlsKeyFile`, serve TLS' }),
  tlsKeyFile: path.optional().meta({ description: 'private key of the certificate (PEM)' }),
  trustedProxies: list(cidr).meta({
    fallback: [],
    description: 'addresses and ranges of proxies whose forwarding headers are believed',
  }),
  trustedProxyHops: integer(1, 16).meta({
    fallback: 1,
    description:
      'how many proxies stand before the server: entries of `x-forwarded-for` counted from the right',
  }),
  bodyLimitBytes: integer(1024, 1_073_741_824).meta({
    fallback: 32 * 1024 * 1024,
    description: 'largest request body in bytes',
  }),
  headerLimitBytes: integer(4096, 1_048_576).meta({
    fallback: 32 * 1024,
    description: 'largest request head in bytes',
  }),
  headerTimeoutMs: integer(100, 600_000).meta({
    fallback: 10_000,
    description: 'milliseconds in which a request head must arrive',
  }),
  idleStreamTimeoutMs: integer(100, 3_600_000).meta({
    fallback: 120_000,
    description: 'milliseconds without a byte after which a stream ends',
  }),
  connectTimeoutMs: integer(10, 600_000).meta({
    fallback: 5_000,
    description: 'milliseconds for resolving, connecting and TLS with an upstream',
  }),
  drainTimeoutMs: integer(0, 3_600_000).meta({
    fallback: 120_000,
    description: 'milliseconds that running requests get to end after SIGTERM',
  }),
  egressAllow: list(allowEntry).meta({
    fallback: [],
    description: 'your own private upstreams: host names (`host` or `host:port`), addresses or ranges',
  }),
  checkpointFile: path.optional().meta({
    description:
      'file to which the newest signed checkpoint of each log is appended, every half second at most; `off`: none; absent: in `dataDir`',
  }),
  checkpointWebhook: webhookUrl.optional().meta({
    description:
      'https URL to which the newest signed checkpoint of each log is sent by POST, every five seconds at most; ' +
      'http, or a private host, only where `egressAllow` lists it',
  }),
  checkpointWebhookToken: bearerToken.optional().meta({
    secret: true,
    description: 'bearer token that `checkpointWebhook` is sent with each checkpoint',
  }),
  checkpointSyslog: syslogUrl.optional().meta({
    description:
      'syslog receiver of the same: `tls://host:6514`, or, where `egressAllow` lists it, `tcp://host:601` or ' +
      '`udp://host:514`, whose messages nobody confirms',
  }),
  ledgerCheckMinutes: integer(1, 1_440).meta({
    fallback: 30,
    description: 'minutes between two checks of every log in the store against what was signed',
  }),
  heldCheckpoint: path.optional().meta({
    description:
      'file with signed checkpoints that you kept: a start on a store that does not continue them is refused',
  }),
  witnesses: path.optional().meta({
    description:
      'file with the witnesses that are asked to cosign checkpoints: a line `witness NAME KEY URL` each, and perhaps a ' +
      'quorum (C2SP tlog-policy); absent: none is asked',
  }),
  witnessIntervalMs: integer(1_000, 3_600_000).meta({
    fallback: 30_000,
    description: 'milliseconds between two looks for logs that have grown since a witness cosigned them',
  }),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .meta({ fallback: 'info', description: 'least level that is logged' }),
  nodeName: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits, `.`, `_` or `-`')
    .optional()
    .meta({ description: 'name of this process in logs and metrics; absent: the host name' }),
});

type Parsed = z.output<typeof configSchema>;
export type ConfigKey = keyof Parsed;

/** The settings of a running process: every value checked, every derived default filled in. */
export type Config = Readonly<
  Omit<Parsed, 'publicUrl' | 'managementPublicUrl' | 'nodeName' | 'checkpointFile'> & {
    publicUrl: string;
    /** That of everything, unless management has an address of its own. */
    managementPublicUrl: string;
    nodeName: string;
    /** Absent when switched off. */
    checkpointFile?: string;
  }
>;

export function isConfigKey(key: string): key is ConfigKey {
  return Object.hasOwn(configSchema.shape, key);
}

/** What is known of one setting beside its schema. */
export type SettingFacts = {
  readonly key: ConfigKey;
  readonly variable: string;
  readonly secret: boolean;
  readonly description: string;
  /** The raw value when no source gives one. */
  readonly fallback: unknown;
};

/** The facts of every setting, in the schema's order. */
export function settingFacts(): readonly SettingFacts[] {
  return Object.keys(configSchema.shape)
    .filter(isConfigKey)
    .map((key) => {
      const meta = configSchema.shape[key].meta();
      const own = typeof meta?.variable === 'string' ? meta.variable : undefined;
      return {
        key,
        variable: own ?? `COUNTERSIGN_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
        secret: meta?.secret === true,
        description: meta?.description ?? '',
        fallback: meta?.fallback,
      };
    });
}

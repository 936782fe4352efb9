// Owns the certificate that the server shows: read and tried before anything else is opened.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '../platform/config/load.ts';
import type { Config } from '../platform/config/schema.ts';

export type Tls = {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Whatever Node's own flags allow. */
  readonly minVersion: 'TLSv1.2';
};

const certSetting = '`tlsCertFile` (COUNTERSIGN_TLS_CERT_FILE)';
const keySetting = '`tlsKeyFile` (COUNTERSIGN_TLS_KEY_FILE)';

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
}

function read(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError([
      `${setting}: \`${path}\` cannot be read (${codeOf(error)}); check the path and its permissions`,
    ]);
  }
}

function parseCertificate(cert: Buffer, path: string): X509Certificate {
  try {
    return new X509Certificate(cert);
  } catch {
    throw new ConfigError([
      `${certSetting}: \`${path}\` holds no certificate in PEM; give the chain, the server's own certificate first`,
    ]);
  }
}

function parseKey(key: Buffer, path: string): KeyObject {
  try {
    return createPrivateKey(key);
  } catch {
    throw new ConfigError([
      `${keySetting}: \`${path}\` holds no private key in PEM; give the certificate's key, without a passphrase`,
    ]);
  }
}

/** The certificate and key of the settings; undefined without them. Throws a ConfigError if they cannot be used. */
export function readTls({ tlsCertFile, tlsKeyFile }: Config): Tls | undefined {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined;
  const tls: Tls = {
    cert: read(certSetting, tlsCertFile),
    key: read(keySetting, tlsKeyFile),
    minVersion: 'TLSv1.2',
  };
  const certificate = parseCertificate(tls.cert, tlsCertFile);
  if (!certificate.checkPrivateKey(parseKey(tls.key, tlsKeyFile))) {
    throw new ConfigError([
      `${keySetting}: \`${tlsKeyFile}\` is not the key of the first certificate in \`${tlsCertFile}\`; give the two that belong together`,
    ]);
  }
  try {
    createSecureContext(tls);
  } catch (error) {
    throw new ConfigError([
      `${certSetting}: \`${tlsCertFile}\` cannot be used for TLS (${codeOf(error)}); make a new certificate and key`,
    ]);
  }
  return tls;
}

// Owns sealing at rest: AES-256-GCM under a data key of its own for each secret, wrapped by a named master key.

import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { AppError } from '@countersign/core/errors';

/** What a sealed secret is bound to: opened under any other name it fails. */
export type Binding = { readonly orgId: string; readonly purpose: string; readonly objectId: string };

export type MasterKey = {
  /** 1 to 32 of letters, digits, `_` and `-`; stands in every sealed secret. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
};

export type Opener = {
  /** The secret's bytes. Throws `storage_unavailable` when the key is unknown or the bytes were altered or moved. */
  readonly open: (sealed: Uint8Array, binding: Binding) => Uint8Array;
};

export type Sealer = Opener & {
  readonly seal: (secret: Uint8Array, binding: Binding) => Uint8Array;
  /** The same secret wrapped by the current master key; its own ciphertext does not change. */
  readonly rewrap: (sealed: Uint8Array, binding: Binding) => Uint8Array;
  /** True when the secret is wrapped by the current master key. */
  readonly isCurrent: (sealed: Uint8Array) => boolean;
};

const formatVersion = 1;
const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;
const boxBytes = nonceBytes + tagBytes;
const keyIdForm = /^[A-Za-z0-9_-]{1,32}$/;

/** Additional data: no part can run into the next, because none may hold a NUL. */
function additional(binding: Binding, what: string): Buffer {
  const parts = ['countersign-seal-v1', what, binding.orgId, binding.purpose, binding.objectId];
  if (parts.some((part) => part.includes('\u0000')))
    throw new AppError('internal', 'a binding may hold no NUL');
  return Buffer.from(parts.join('\u0000'), 'utf8');
}

/** nonce ‖ tag ‖ ciphertext. */
export function encrypt(key: KeyObject, plain: Uint8Array, aad: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(aad);
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

/** The reverse of `encrypt`; undefined when key, bytes or additional data are not those that it had. */
export function decrypt(key: KeyObject, box: Uint8Array, aad: Uint8Array): Buffer | undefined {
  if (box.length < boxBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(aad);
  decipher.setAuthTag(box.subarray(nonceBytes, boxBytes));
  try {
    return Buffer.concat([decipher.update(box.subarray(boxBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}

type Parsed = { readonly keyId: string; readonly wrapped: Uint8Array; readonly body: Uint8Array };

/** version ‖ length of key id ‖ key id ‖ wrapped data key ‖ sealed secret. */
function parse(sealed: Uint8Array): Parsed | undefined {
  const idLength = sealed[1] ?? 0;
  const wrappedAt = 2 + idLength;
  const bodyAt = wrappedAt + boxBytes + keyBytes;
  if (sealed[0] !== formatVersion || idLength === 0 || sealed.length < bodyAt + boxBytes) return undefined;
  const keyId = Buffer.from(sealed.subarray(2, wrappedAt)).toString('latin1');
  return { keyId, wrapped: sealed.subarray(wrappedAt, bodyAt), body: sealed.subarray(bodyAt) };
}

function unopenable(why: string): AppError {
  return new AppError(
    'storage_unavailable',
    `a sealed secret cannot be opened: ${why}; give the master key that sealed it`,
  );
}

/**
 * A sealer whose first master key seals and wraps anew; the others only open. Throws `invalid_request` for a
 * key that is not 32 bytes, a malformed id, or no key at all.
 */
export function createSealer(masterKeys: readonly MasterKey[]): Sealer {
  const keys = new Map<string, KeyObject>();
  for (const { id, key } of masterKeys) {
    if (!keyIdForm.test(id)) throw new AppError('invalid_request', `\`${id}\` cannot name a master key`);
    if (key.length !== keyBytes)
      throw new AppError('invalid_request', `master key \`${id}\` must have 32 bytes`);
    keys.set(id, createSecretKey(key));
  }
  const [current] = masterKeys;
  const currentKey = current === undefined ? undefined : keys.get(current.id);
  if (current === undefined || currentKey === undefined) {
    throw new AppError('invalid_request', 'sealing needs at least one master key');
  }

  function join(wrapped: Uint8Array, body: Uint8Array): Uint8Array {
    const id = Buffer.from(current?.id ?? '', 'latin1');
    return new Uint8Array(Buffer.concat([Uint8Array.of(formatVersion, id.length), id, wrapped, body]));
  }

  function dataKey(parsed: Parsed, binding: Binding): Buffer {
    const master = keys.get(parsed.keyId);
    if (master === undefined) throw unopenable(`its master key \`${parsed.keyId}\` is not configured`);
    const key = decrypt(master, parsed.wrapped, additional(binding, 'wrap'));
    if (key === undefined)
      throw unopenable('it was altered, moved, or the master key is another one of the same id');
    return key;
  }

  function read(sealed: Uint8Array): Parsed {
    const parsed = parse(sealed);
    if (parsed === undefined) throw unopenable('its form is unknown');
    return parsed;
  }

  return {
    seal(secret, binding) {
      const data = randomBytes(keyBytes);
      const wrapped = encrypt(currentKey, data, additional(binding, 'wrap'));
      return join(wrapped, encrypt(createSecretKey(data), secret, additional(binding, 'body')));
    },
    open(sealed, binding) {
      const parsed = read(sealed);
      const data = createSecretKey(dataKey(parsed, binding));
      const plain = decrypt(data, parsed.body, additional(binding, 'body'));
      if (plain === undefined) throw unopenable('it was altered or moved');
      return new Uint8Array(plain);
    },
    rewrap(sealed, binding) {
      const parsed = read(sealed);
      const wrapped = encrypt(currentKey, dataKey(parsed, binding), additional(binding, 'wrap'));
      return join(wrapped, parsed.body);
    },
    isCurrent: (sealed) => parse(sealed)?.keyId === current.id,
  };
}

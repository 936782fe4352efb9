// Owns the form of one frame of the journal: what is in it, and how a torn or foreign one is recognised.

import { hash } from 'node:crypto';

/** Frames begin and end on this many bytes, so that no write touches a page in which an older frame lies. */
export const frameUnit = 4096;

/**
 * Before the payload: magic (4), payload's length (u32), sequence (u64), journal's id (16), SHA-256 (32) of all that
 * comes before it in the frame and of the payload. Numbers are big-endian.
 */
export const headerBytes = 64;

const magic = 0x43_53_4a_31; // CSJ1
const hashAt = 32;

/** The bytes that a frame with this much payload takes. */
export function frameBytes(payloadBytes: number): number {
  return Math.ceil((headerBytes + payloadBytes) / frameUnit) * frameUnit;
}

/** The number that a header of this journal states; undefined for any other bytes. */
export function statedSequence(header: Buffer, id: Uint8Array): number | undefined {
  if (header.length < headerBytes || header.readUInt32BE(0) !== magic) return undefined;
  return header.subarray(16, hashAt).equals(id) ? Number(header.readBigUInt64BE(8)) : undefined;
}

/** The payload's length that a header of this journal and sequence states; undefined for any other bytes. */
export function statedBytes(header: Buffer, id: Uint8Array, sequence: number): number | undefined {
  return statedSequence(header, id) === sequence ? header.readUInt32BE(4) : undefined;
}

/**
 * The payload's length that a header states which is this frame's but for one member: magic and sequence, or id and
 * sequence are as they would be. Undefined for any other bytes. One whose sequence is another may be an older frame.
 */
export function nearlyStatedBytes(header: Buffer, id: Uint8Array, sequence: number): number | undefined {
  if (header.length < headerBytes || header.readBigUInt64BE(8) !== BigInt(sequence)) return undefined;
  const isOurs = header.readUInt32BE(0) === magic || header.subarray(16, hashAt).equals(id);
  return isOurs ? header.readUInt32BE(4) : undefined;
}

export type Seals = {
  /** Writes the header over a frame whose payload lies behind it already. `id` has 16 bytes. */
  readonly seal: (frame: Buffer, payloadBytes: number, id: Uint8Array, sequence: number) => void;
  /** True when the frame, header and payload, is as it was sealed. */
  readonly isWhole: (frame: Buffer, payloadBytes: number) => boolean;
  /** True when the frame would be whole with this id and sequence in its header. */
  readonly isWholeAs: (frame: Buffer, payloadBytes: number, id: Uint8Array, sequence: number) => boolean;
};

/** Sealing for one thread: what digests are made of is memory that is used again. */
export function createSeals(): Seals {
  let covered = Buffer.alloc(0);

  function digest(frame: Buffer, payloadBytes: number): Buffer {
    const bytes = hashAt + payloadBytes;
    if (covered.length < bytes) covered = Buffer.allocUnsafeSlow(2 * bytes);
    frame.copy(covered, 0, 0, hashAt);
    frame.copy(covered, hashAt, headerBytes, headerBytes + payloadBytes);
    return hash('sha256', covered.subarray(0, bytes), 'buffer');
  }

  function name(frame: Buffer, payloadBytes: number, id: Uint8Array, sequence: number): void {
    frame.writeUInt32BE(magic, 0);
    frame.writeUInt32BE(payloadBytes, 4);
    frame.writeBigUInt64BE(BigInt(sequence), 8);
    frame.set(id, 16);
  }

  function isWhole(frame: Buffer, payloadBytes: number): boolean {
    return (
      frame.length >= headerBytes + payloadBytes &&
      digest(frame, payloadBytes).equals(frame.subarray(hashAt, headerBytes))
    );
  }
  return {
    seal(frame, payloadBytes, id, sequence) {
      name(frame, payloadBytes, id, sequence);
      frame.set(digest(frame, payloadBytes), hashAt);
    },
    isWhole,
    isWholeAs(frame, payloadBytes, id, sequence) {
      const renamed = Buffer.from(frame);
      name(renamed, payloadBytes, id, sequence);
      return isWhole(renamed, payloadBytes);
    },
  };
}

// Owns the form of one frame of the journal: what is in it, and how a torn or foreign one is recognised.

import { createHash, hash } from 'node:crypto';

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

/** SHA-256 of a frame's header, but for the hash itself, and of its payload. */
function digest(frame: Buffer, payloadBytes: number): Buffer {
  return createHash('sha256')
    .update(frame.subarray(0, hashAt))
    .update(frame.subarray(headerBytes, headerBytes + payloadBytes))
    .digest();
}

function name(header: Buffer, payloadBytes: number, id: Uint8Array, sequence: number): void {
  header.writeUInt32BE(magic, 0);
  header.writeUInt32BE(payloadBytes, 4);
  header.writeBigUInt64BE(BigInt(sequence), 8);
  header.set(id, 16);
}

/** Writes the header of a frame whose payload lies behind it already. `id` has 16 bytes. */
export function seal(frame: Buffer, payloadBytes: number, id: Uint8Array, sequence: number): void {
  // What the hash is of has to lie together: before it is known, its own place is free.
  const covered = frame.subarray(hashAt, headerBytes + payloadBytes);
  name(covered, payloadBytes, id, sequence);
  const sum = hash('sha256', covered, 'buffer');
  frame.copyWithin(0, hashAt, headerBytes);
  frame.set(sum, hashAt);
}

/** True when the frame, header and payload, is as it was sealed. */
export function isWhole(frame: Buffer, payloadBytes: number): boolean {
  return (
    frame.length >= headerBytes + payloadBytes &&
    digest(frame, payloadBytes).equals(frame.subarray(hashAt, headerBytes))
  );
}

/** True when the frame would be whole with this id and sequence in its header. */
export function isWholeAs(frame: Buffer, payloadBytes: number, id: Uint8Array, sequence: number): boolean {
  const renamed = Buffer.from(frame);
  name(renamed, payloadBytes, id, sequence);
  return isWhole(renamed, payloadBytes);
}

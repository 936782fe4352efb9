// Owns the file of a journal: made whole, and read frame by frame.

import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '@countersign/core/errors';
import {
  frameBytes,
  frameUnit,
  headerBytes,
  isWhole,
  isWholeAs,
  nearlyStatedBytes,
  statedBytes,
  statedSequence,
} from './frame.ts';
import type { JournalPlace } from './marks.ts';

export type JournalFrame = {
  readonly payload: Buffer;
  /** Where it lies, in bytes: at its place, or at the start of the file where there was no room for it. */
  readonly offset: number;
  readonly next: JournalPlace;
};

const zeros = 65_536;

export function failed(path: string, cause: unknown): AppError {
  return new AppError('storage_unavailable', `the journal \`${path}\` cannot be written: retry shortly`, {
    retryAfterSeconds: 1,
    cause,
  });
}

export function writeAll(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

/** Makes the file whole before it has its name. Its blocks are on the disk, so that a full one refuses now, not later. */
function create(path: string, size: number): void {
  const made = `${path}.new`;
  const fd = openSync(made, 'w', 0o600);
  try {
    const block = new Uint8Array(zeros);
    for (let at = 0; at < size; at += zeros) writeAll(fd, block.subarray(0, Math.min(zeros, size - at)), at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(made, path);
}

/** Makes the name durable; whoever made the file may have died before. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export function openFile(path: string, size: number): number {
  try {
    if (!existsSync(path)) create(path, size);
    syncFolder(path);
    return openSync(path, 'r+');
  } catch (error) {
    throw failed(path, error);
  }
}

/** Bytes of a frame at `offset`, or undefined where the file ends before. */
function readBytes(fd: number, bytes: number, offset: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(bytes);
  return readSync(fd, buffer, 0, bytes, offset) === bytes ? buffer : undefined;
}

/** What is left of a frame that was written, or begun, and is not whole. */
export type DroppedFrame = {
  readonly sequence: number;
  readonly offset: number;
  /** The payload's length, as its header states it. */
  readonly bytes: number;
};

export type JournalReader = ReturnType<typeof createReader>;

/** Looks where a frame may be: at its place, or, when the file's end was too near, at the start. */
export function lookFor<T>(
  { sequence, offset }: JournalPlace,
  at: (offset: number, sequence: number) => T | undefined,
): T | undefined {
  return at(offset, sequence) ?? (offset === 0 ? undefined : at(0, sequence));
}

/** Reads frames of the file, whoever has written it. */
export function createReader(fd: number, id: Uint8Array, size: number) {
  function at(offset: number, sequence: number): JournalFrame | undefined {
    if (offset + headerBytes > size) return undefined;
    const header = readBytes(fd, headerBytes, offset);
    const payloadBytes = header === undefined ? undefined : statedBytes(header, id, sequence);
    if (payloadBytes === undefined || offset + frameBytes(payloadBytes) > size) return undefined;
    const frame = readBytes(fd, headerBytes + payloadBytes, offset);
    if (frame === undefined || !isWhole(frame, payloadBytes)) return undefined;
    return {
      payload: frame.subarray(headerBytes),
      offset,
      next: { sequence: sequence + 1, offset: offset + frameBytes(payloadBytes) },
    };
  }
  /** True for a frame that is whole as it is: it is of the journal of a former run, which had the same number there. */
  function isOlder(offset: number, bytes: number): boolean {
    if (offset + frameBytes(bytes) > size) return false;
    const frame = readBytes(fd, headerBytes + bytes, offset);
    return frame !== undefined && isWhole(frame, bytes);
  }
  function remainsAt(offset: number, sequence: number): DroppedFrame | undefined {
    const header = offset < size ? readBytes(fd, headerBytes, offset) : undefined;
    if (header === undefined) return undefined;
    const near = nearlyStatedBytes(header, id, sequence);
    if (near !== undefined) return isOlder(offset, near) ? undefined : { sequence, offset, bytes: near };
    // The sequence is another: an older frame, unless it is whole under the number that was to come.
    const bytes = statedSequence(header, id) === undefined ? 0 : header.readUInt32BE(4);
    if (bytes === 0 || offset + frameBytes(bytes) > size) return undefined;
    const frame = readBytes(fd, headerBytes + bytes, offset);
    return frame !== undefined && isWholeAs(frame, bytes, id, sequence)
      ? { sequence, offset, bytes }
      : undefined;
  }
  return {
    /** What lies of a frame where it would be, if it is not whole. */
    remainsOf: (place: JournalPlace): DroppedFrame | undefined => lookFor(place, remainsAt),
    frameAt: (place: JournalPlace): JournalFrame | undefined => lookFor(place, at),
    /** The number of the whole frame at an offset, whichever it is. */
    numberAt(offset: number): number | undefined {
      const header = readBytes(fd, headerBytes, offset);
      const sequence = header === undefined ? undefined : statedSequence(header, id);
      return sequence === undefined || at(offset, sequence) === undefined ? undefined : sequence;
    },
  };
}

/**
 * Refuses a journal in which a frame is missing that others follow. One write is under way at a time: behind a frame
 * that a crash has torn there is none, so what lies there shows that something durable was damaged, or that the
 * database is older than its journal.
 */
export function refuseGap({ numberAt }: JournalReader, path: string, size: number, next: number): void {
  for (let offset = 0; offset < size; offset += frameUnit) {
    const sequence = numberAt(offset);
    if (sequence === undefined || sequence <= next) continue;
    throw new AppError(
      'storage_unavailable',
      `\`${path}\` holds frame ${sequence}, but frame ${next} before it cannot be read: restore the data folder with ` +
        'the database and the journal of one moment, or put the journal away to start without what it holds',
    );
  }
}

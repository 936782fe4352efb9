// Owns the image of a journal's file: what this process has appended, for the thread that takes it in.

import { type JournalFrame, lookFor } from './file.ts';
import { frameBytes, headerBytes, statedBytes } from './frame.ts';
import type { JournalPlace } from './marks.ts';

/** What the threads of one process share of a journal. */
export type JournalMemory = {
  readonly marks: SharedArrayBuffer;
  /** As long as the file. Memory is taken for the parts of it that have been written. */
  readonly image: SharedArrayBuffer;
  /** The number of the first frame that is in the image: those before it are in the file only. */
  readonly own: number;
};

export type JournalImage = {
  /** The memory of a frame that the file will have at this offset. INVARIANT: it is made before it counts as written. */
  readonly memoryAt: (offset: number, bytes: number) => Buffer;
  /**
   * The frame of this place. Its payload lies in the image: nothing is read, copied or hashed, because nobody but who
   * appends writes there. INVARIANT: to be asked for frames that are written, and not released.
   */
  readonly frameAt: (place: JournalPlace) => JournalFrame | undefined;
};

export function openImage(memory: SharedArrayBuffer, id: Uint8Array): JournalImage {
  const image = Buffer.from(memory);

  /** A header shows where its frame lies: the number comes once, and nobody outside knows the journal's id. */
  function at(offset: number, sequence: number): JournalFrame | undefined {
    const start = offset + headerBytes;
    const payloadBytes = statedBytes(image.subarray(offset, start), id, sequence);
    if (payloadBytes === undefined || start + payloadBytes > image.length) return undefined;
    return {
      payload: image.subarray(start, start + payloadBytes),
      offset,
      next: { sequence: sequence + 1, offset: offset + frameBytes(payloadBytes) },
    };
  }

  return {
    memoryAt: (offset, bytes) => image.subarray(offset, offset + bytes),
    frameAt: (place) => lookFor(place, at),
  };
}

// Owns how much waits in a socket of ours, on either side of an answer, before who sends is made to wait.

/**
 * Bytes. A read takes up to 64 KiB and counts as a whole: with Node's own mark of as much, a second piece would wait
 * behind each answer that is paused, and two for each client that reads slowly.
 */
export const highWaterMark = 16 * 1024;

// Owns how long work over a log says how far it is.

/** What is being done. A log goes through each step from its beginning to its end; one with several logs does so again. */
export type Step = 'exporting' | 'verifying' | 'comparing copies' | 'replaying' | 'summing';

/**
 * Told now and then, some hundred entries apart: how many are done of how many. Of `comparing copies` both are lines, of
 * all copies together. Must return at once.
 */
export type Progress = (step: Step, done: number, total: number) => void;

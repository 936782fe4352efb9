// Owns which of a caller's own words stand in the record as they are: short tokens in which no detector finds anything.

import { classifyText } from '@countersign/core/classify/detect';
import { normalise } from '@countersign/core/classify/normalise';
import { modelName } from '@countersign/core/directory/scalars';

/** A commitment: the same text gives the same one within an organization. */
type Commit = (text: string) => string;

const tokenForm = /^[\p{L}0-9._:/+=#~-]{1,128}$/u;
/** Ids that clients make, as of their sessions: no detector need look at them. */
const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function isClean(text: string): boolean {
  if (uuidForm.test(text)) return true;
  let isFound = false;
  classifyText(normalise(text).units, () => {
    isFound = true;
  });
  return !isFound;
}

const isPlain = (text: string): boolean => tokenForm.test(text) && isClean(text);

/**
 * The text, if it is one token of at most 128 letters, digits and `._:/+=#~-` in which no built-in detector finds
 * anything; else a commitment to it. INVARIANT: what is recorded cannot be taken back, and clients put people's
 * addresses, numbers and sentences wherever they may say something.
 */
export function plainWord(text: string, commit: Commit): string {
  return isPlain(text) ? text : commit(text);
}

/** The same for a tag. Of `name=value` either side stands for itself: a rule can still ask for the name. */
export function plainTag(tag: string, commit: Commit): string {
  const at = tag.indexOf('=');
  // Together first: a name can tell what the digits behind it are.
  if (at <= 0 || at === tag.length - 1 || isPlain(tag)) return plainWord(tag, commit);
  const name = plainWord(tag.slice(0, at), commit);
  return `${name}=${commit(tag.slice(at + 1))}`;
}

/** The same for a name that is to be a model's, in the form that models' names have here. */
export function plainModel(name: string, commit: Commit): string {
  return modelName.safeParse(name).success && isClean(name) ? name : commit(name);
}

/** The same for names beside it, in their order. */
export function plainModels(names: readonly string[], commit: Commit): readonly string[] {
  return names.length === 0 ? names : names.map((name) => plainModel(name, commit)).sort();
}

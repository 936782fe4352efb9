// Owns making a pack of the calls that one step of the projection has whole, a call at a time.

import { quote } from '@countersign/core/ledger/canonical';
import { applicationOf } from './entry-actor.ts';
import { type CallPlaces, createPlaces } from './pack-places.ts';
import { linesOf, type Pack, packMarks } from './record-packs.ts';
import { labelsOf } from './record-rows.ts';
import { joinedTeams } from './usage-rows.ts';
import type { WholeCall } from './whole-calls.ts';

/** What a call's intent has that its outcome has not. */
export type WholeIntent = { readonly id: string; readonly ts: string };

const within = (literal: string): string => literal.slice(1, -1);

/** The least and the greatest text of those that are added. */
function createRange() {
  let least: string | undefined;
  let most: string | undefined;
  return {
    add(text: string): void {
      if (least === undefined || text < least) least = text;
      if (most === undefined || text > most) most = text;
    },
    least: () => least ?? '',
    most: () => most ?? '',
  };
}

function addList(marks: Set<string>, names: string, markOf: (name: string) => string): void {
  if (names === '') return;
  for (const name of names.split(' ')) marks.add(markOf(name));
}

/** Adds what a pack is looked for by. */
function addMarks(marks: Set<string>, { actor, cc, class: classText, model }: WholeCall): void {
  const application = applicationOf(actor);
  marks.add(packMarks.actor(actor.id));
  if (actor.ws !== undefined) marks.add(packMarks.workspace(actor.ws));
  if (application !== undefined) marks.add(packMarks.application(application));
  if (model !== undefined) marks.add(packMarks.model(model));
  if (cc !== undefined) marks.add(packMarks.costCentre(cc));
  addList(marks, joinedTeams(actor.teams), (team) => packMarks.team(quote(team)));
  addList(marks, labelsOf(classText)?.trim() ?? '', packMarks.label);
}

export type PackBuilder = ReturnType<typeof createPackBuilder>;

/** A pack of calls whose entries lie at `first` or behind it. They are added in any order. */
export function createPackBuilder(first: number) {
  const places = createPlaces(first);
  const marks = new Set<string>();
  const ids = createRange();
  const requests = createRange();
  const times = createRange();
  return {
    /** False, and nothing is added, for a call that no pack can hold. */
    add(at: CallPlaces, { id, ts }: WholeIntent, call: WholeCall): boolean {
      const { req } = call;
      if (req === undefined || !places.add(at)) return false;
      ids.add(id);
      requests.add(within(req));
      times.add(ts);
      addMarks(marks, call);
      return true;
    },
    /** Undefined when nothing was added. */
    pack(): Pack | undefined {
      if (places.count() === 0) return undefined;
      const { first: begin, end, bytes } = places.encode();
      return {
        first_index: begin,
        end_index: end,
        first_id: ids.least(),
        last_id: ids.most(),
        first_request: requests.least(),
        last_request: requests.most(),
        first_at: Date.parse(times.least()),
        last_at: Date.parse(times.most()),
        marks: linesOf(marks),
        places: bytes,
      };
    },
  };
}

// Owns the list of migrations in their order.

import type { Migration } from '../../platform/migrate/migration.ts';
import { foundation } from './0001-foundation.ts';
import { recordBlocks } from './0002-record-blocks.ts';
import { journalPlaces } from './0003-journal-places.ts';
import { usageDimensions } from './0004-usage-dimensions.ts';
import { cosignatures } from './0005-cosignatures.ts';
import { closedLogs } from './0006-closed-logs.ts';
import { successions } from './0007-successions.ts';
import { recordPacks } from './0008-record-packs.ts';

export const migrations: readonly Migration[] = [
  foundation,
  recordBlocks,
  journalPlaces,
  usageDimensions,
  cosignatures,
  closedLogs,
  successions,
  recordPacks,
];

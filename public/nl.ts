import { account } from './account/nl.js';
import { administration } from './admin/nl.js';
import { audit } from './audit/nl.js';
import { connect } from './connect/nl.js';
import { collections } from './collections/nl.js';
import { evaluations } from './evaluations/nl.js';
import { evidence } from './evidence/nl.js';
import { furtherUses } from './further-uses/nl.js';
import { holds } from './holds/nl.js';
import { ingest } from './ingest/nl.js';
import { player } from './player/nl.js';
import { portal } from './portal/nl.js';
import { privacy } from './privacy/nl.js';
import { recordings } from './recordings/nl.js';
import { remarks } from './remarks/nl.js';
import { retention } from './retention/nl.js';
import { shell } from './shell/nl.js';
import { tickets } from './tickets/nl.js';

/** Dutch, the source: every other language has the same keys and placeholders. Each screen keeps its own words. */
export const nl = { ...shell, ...recordings, ...player, ...tickets, ...administration, ...account, ...audit, ...retention, ...holds, ...evidence, ...ingest, ...connect, ...portal, ...privacy, ...remarks, ...collections, ...evaluations, ...furtherUses } as const;

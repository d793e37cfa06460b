import { account } from './account/en.js';
import { administration } from './admin/en.js';
import { audit } from './audit/en.js';
import { connect } from './connect/en.js';
import { collections } from './collections/en.js';
import { evaluations } from './evaluations/en.js';
import { evidence } from './evidence/en.js';
import { furtherUses } from './further-uses/en.js';
import { holds } from './holds/en.js';
import { ingest } from './ingest/en.js';
import type { nl } from './nl.js';
import { player } from './player/en.js';
import { portal } from './portal/en.js';
import { privacy } from './privacy/en.js';
import { recordings } from './recordings/en.js';
import { remarks } from './remarks/en.js';
import { retention } from './retention/en.js';
import { shell } from './shell/en.js';
import { tickets } from './tickets/en.js';

/** English. */
export const en: Record<keyof typeof nl, string> = {
  ...shell,
  ...recordings,
  ...player,
  ...tickets,
  ...administration,
  ...account,
  ...audit,
  ...retention,
  ...holds,
  ...evidence,
  ...ingest, ...connect,
  ...portal,
  ...privacy,
  ...remarks,
  ...collections,
  ...evaluations, ...furtherUses,
};

import type { Transaction } from 'sequelize';
import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';
import { z } from 'zod';
import { append, type Actor } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';

/** The organisation that answers for the recordings: what letters, packages and due dates are made with. */

type Base = Pick<Platform, 'clock' | 'database'>;

export interface Organisation {
  /** The controller's name (art. 4(7) GDPR); empty until an administrator has filled it in. */
  controller: string;
  address: string;
  privacyEmail: string;
  /** E.164. Once there are any, calls in which none takes part are not ours to keep. */
  ownNumbers: string[];
  /** `YYYY-MM-DD`: days on which nothing falls due, besides weekends. */
  holidays: string[];
  /** Counts the changes; 0 when nothing was ever filled in. */
  version: number;
  changedAt: Date | null;
}

const unknown: Organisation = {
  controller: '',
  address: '',
  privacyEmail: '',
  ownNumbers: [],
  holidays: [],
  version: 0,
  changedAt: null,
};

/** The organisation as it is now, or as it was in `version`. */
export async function organisationOf(database: Database, version?: number, tx?: Transaction): Promise<Organisation> {
  const [row] = await database.query<Organisation>(
    `SELECT controller, address, privacy_email AS "privacyEmail", own_numbers AS "ownNumbers",
       holidays::text[] AS holidays, version, changed_at AS "changedAt"
     FROM organisation_versions WHERE $1::integer IS NULL OR version = $1 ORDER BY version DESC LIMIT 1`,
    [version ?? null],
    tx,
  );
  return row ?? unknown;
}

/** SELECT of every number of our own, E.164: the organisation's and those of its PBXs. One column, `number`. */
export const allOwnNumbers = `SELECT unnest(own_numbers) AS number FROM sources UNION
  SELECT unnest(own_numbers) FROM (SELECT own_numbers FROM organisation_versions ORDER BY version DESC LIMIT 1) latest`;

export interface OrganisationChange {
  controller?: string | undefined;
  address?: string | undefined;
  privacyEmail?: string | undefined;
  ownNumbers?: readonly string[] | undefined;
  holidays?: readonly string[] | undefined;
  /** The version that was changed; another one meanwhile is a conflict. */
  version?: number | undefined;
}

/**
 * Writes a new version. A field left out stays as it is, so that a client which does not know one does not wipe it.
 * @throws Problem `conflict` when somebody else changed it meanwhile.
 */
export async function changeOrganisation(
  { clock, database }: Base,
  actor: Actor,
  change: OrganisationChange,
): Promise<Organisation> {
  return database.inTransaction(async (tx) => {
    await database.advisoryLock(tx, 'access.organisation', 'exclusive');
    const before = await organisationOf(database, undefined, tx);
    if (change.version !== undefined && change.version !== before.version)
      throw new Problem('conflict', { detail: 'The organisation was changed by somebody else meanwhile.' });
    const after: Organisation = {
      controller: change.controller ?? before.controller,
      address: change.address ?? before.address,
      privacyEmail: change.privacyEmail ?? before.privacyEmail,
      ownNumbers: [...new Set(change.ownNumbers ?? before.ownNumbers)],
      holidays: [...new Set(change.holidays ?? before.holidays)].sort(),
      version: before.version + 1,
      changedAt: clock.now(),
    };
    const fields = (['controller', 'address', 'privacyEmail', 'ownNumbers', 'holidays'] as const).filter(
      (field) => String(before[field]) !== String(after[field]),
    );
    if (fields.length === 0) return before;
    await database.query(
      `INSERT INTO organisation_versions
         (version, controller, address, privacy_email, own_numbers, holidays, changed_at, changed_by)
       VALUES ($1, $2, $3, $4, $5::text[], $6::date[], $7, $8)`,
      [
        after.version,
        after.controller,
        after.address,
        after.privacyEmail,
        after.ownNumbers,
        after.holidays,
        after.changedAt,
        actor.kind === 'person' ? actor.id : null,
      ],
      tx,
    );
    await append(database, clock, tx, {
      actor,
      action: 'organisation.changed',
      object: { type: 'organisation', id: String(after.version) },
      details: { fields, version: after.version },
    });
    return after;
  });
}

/** A telephone number as anyone writes it, made E.164; one without a country is read in `defaultCountry`. */
export function ownNumberSchema(defaultCountry: string) {
  return z
    .string()
    .max(40)
    .transform((text, context) => {
      const number = parsePhoneNumberFromString(text, defaultCountry as CountryCode);
      if (number?.isPossible() === true) return number.number as string;
      context.addIssue({ code: 'custom', message: 'must be a telephone number such as +31 20 123 4567' });
      return z.NEVER;
    });
}

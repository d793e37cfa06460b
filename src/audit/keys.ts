import type { Transaction } from 'sequelize';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import { fingerprint, keyIdOf, type SigningKey } from '../platform/signing.js';
import { append, systemActor } from './log.js';

/** A public key of this installation, in use or rotated away. */
export interface PublishedKey {
  keyId: string;
  /** For comparing by eye or voice. */
  fingerprint: string;
  algorithm: 'ECDSA P-256 with SHA-256';
  publicPem: string;
  firstUsedAt: string;
}

/**
 * Publishes the public half of `key`. Its first appearance is itself an entry, so that a rotation puts a batch signed by
 * the new key on top of the chain even when nothing else happens.
 */
export async function introduceKey(database: Database, clock: Clock, key: SigningKey): Promise<void> {
  await database.inTransaction(async (tx) => {
    const introduced = await database.query<{ key_id: string }>(
      `INSERT INTO signing_keys (key_id, public_pem, first_used_at) VALUES ($1, $2, $3)
       ON CONFLICT DO NOTHING RETURNING key_id`,
      [key.keyId, key.publicPem, clock.now()], tx,
    );
    if (introduced.length === 0) return;
    await append(database, clock, tx, {
      actor: systemActor('audit'), action: 'signing_key.introduced', object: { type: 'signing_key', id: key.keyId },
    });
  });
}

/** Every key that ever signed, oldest first. */
export async function publishedKeys(database: Database, tx?: Transaction): Promise<PublishedKey[]> {
  const rows = await database.query<{ key_id: string; public_pem: string; first_used_at: Date }>(
    'SELECT key_id, public_pem, first_used_at FROM signing_keys ORDER BY first_used_at, key_id', [], tx,
  );
  return rows.map((row) => ({
    keyId: row.key_id,
    fingerprint: fingerprint(row.key_id),
    algorithm: 'ECDSA P-256 with SHA-256',
    publicPem: row.public_pem,
    firstUsedAt: row.first_used_at.toISOString(),
  }));
}

/** Public keys by id, each only under the id that its own bytes give. */
export async function keysById(database: Database, tx?: Transaction): Promise<Map<string, string>> {
  const rows = await database.query<{ key_id: string; public_pem: string }>(
    'SELECT key_id, public_pem FROM signing_keys', [], tx,
  );
  return new Map(rows.filter((row) => isIdOf(row.key_id, row.public_pem)).map((row) => [row.key_id, row.public_pem]));
}

function isIdOf(keyId: string, publicPem: string): boolean {
  try {
    return keyIdOf(publicPem) === keyId;
  } catch {
    // What is no key at all verifies nothing.
    return false;
  }
}

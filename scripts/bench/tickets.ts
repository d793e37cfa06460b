import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrations } from '../../migrations/index.js';
import { openDatabase, type Database } from '../../src/platform/database.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgres.js';
import { createLog } from '../../src/platform/log.js';
import { migrate } from '../../src/platform/migrate.js';
import { findTickets, type TicketFilter } from '../../src/tickets/find-tickets.js';
import { documentSql } from '../../src/tickets/piece.js';
import { renewWords } from '../../src/tickets/search-words.js';

/**
 * How long finding a ticket takes among a million: every kind of search, first pages and deep ones, against the database
 * that the service embeds. `npm run bench -- tickets [how many tickets] [how often each query] [folder]`: a folder is kept,
 * and used again by the next run.
 */

const tickets = Number(process.argv[3] ?? 1_000_000);
const times = Number(process.argv[4] ?? 60);
const kept = process.argv[5];
const aimMs = 50;
const now = new Date('2026-11-22T12:00:00Z');
/** Tickets come in evenly over this long before `now`, at most two days out of order. */
const days = 1_000;

const words = `factuur betaling rekening bedrag incasso termijn abonnement opzeggen contract verlengen storing modem internet
  verbinding traag router telefoon nummer voicemail doorschakelen wachtwoord inloggen account gegevens adres verhuizen
  levering pakket bestelling retour garantie reparatie monteur afspraak installatie handleiding instelling update scherm
  toetsenbord printer papier server back-up licentie gebruiker collega afdeling verzoek vraag klacht antwoord bevestiging
  datum maandag dinsdag woensdag donderdag vrijdag ochtend middag bellen mailen terugbellen spoed wachten probleem oplossing
  fout melding code formulier bijlage foto document overeenkomst korting aanbieding tarief kosten btw administratie`.split(/\s+/);
const firstNames = 'Anna Bert Carla Daan Els Fatima Gijs Hanna Ilse Joris Karim Lotte Mohammed Nina Otto Petra Quinten Rosa Sem Tess'.split(' ');
const lastNames = `Jansen Bakker Visser Smit Meijer Mulder Bos Vos Peters Hendriks Dekker Brouwer Dijkstra Kuipers Veenstra Postma
  Yilmaz Elazzouzi Zoetemelk Ravensbergen`.split(/\s+/);

/** SQL: an element of a list, by a number that differs from row to row. */
const pick = (list: readonly string[], sql: string) => `(ARRAY[${list.map((each) => `'${each}'`).join(',')}])[1 + (${sql}) % ${list.length}]`;
/** SQL: looks random, is the same at every run. */
const dice = (salt: number) => `abs(hashint8extended(n, ${salt}))`;
const some = (count: number, salt: number) => Array.from({ length: count }, (_, index) => pick(words, dice(salt + index))).join(` || ' ' || `);

async function fill(database: Database): Promise<void> {
  const run = (sql: string, bind: unknown[] = []) =>
    database.inTransaction(async (tx) => {
      await database.query('SET LOCAL statement_timeout = 0', [], tx);
      await database.query(sql, bind, tx);
    });
  const sourceId = randomUUID();
  await run(`INSERT INTO sources (id, name, kind, time_zone, channel_map, created_at) VALUES ($1, 'bench', 'helpdesk', 'UTC', '{caller}', $2)`, [sourceId, now]);
  const indexes = await database.query<{ name: string; definition: string }>(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
     WHERE tablename IN ('tickets', 'ticket_pieces', 'ticket_piece_versions') AND indexname NOT LIKE '%key'`);
  for (const { name } of indexes.filter(({ name }) => !name.endsWith('pkey'))) await run(`DROP INDEX ${name}`);
  const step = 100_000;
  for (let from = 0; from < tickets; from += step) {
    const id = (prefix: string, sql: string) => `(lpad(to_hex(${sql}), 8, '0') || '-${prefix}-7000-8000-000000000000')::uuid`;
    const range = `generate_series(${from}::bigint, ${Math.min(from + step, tickets) - 1}::bigint) n`;
    // An organisation for every forty tickets; one word in a thousand tickets that stands nowhere else.
    await run(
      `INSERT INTO tickets (id, source_id, external_id, number, subject, category, status, requester_name, requester_email,
         requester_phone, organisation, opened_at, told, received_at, earliest_at, retain_until, document)
       SELECT ${id('0001', 'n')}, $1, 't' || n, (1000000 + n)::text, ${some(4, 10)}, 'support', 'closed',
         ${pick(firstNames, dice(1))} || ' ' || ${pick(lastNames, dice(2))} || CASE WHEN n % 1000 = 7 THEN ' Uniekenaam' || n ELSE '' END,
         'klant' || n % ${Math.ceil(tickets / 4)} || '@voorbeeld' || n % 5000 || '.nl',
         '+316' || lpad((${dice(3)} % ${Math.ceil(tickets / 3)})::text, 8, '0'), 'Bedrijf ' || n % ${Math.ceil(tickets / 40)},
         opened, '{}', opened, opened, opened + interval '3 years', ''
       FROM (SELECT n, $2::timestamptz - ((${tickets} - n) * ${days * 86_400 / tickets} + ${dice(4)} % 172800) * interval '1 second' AS opened
             FROM ${range}) made`,
      [sourceId, now],
    );
    await run(
      `INSERT INTO ticket_pieces (id, ticket_id, kind, external_id, root, policy, category_untold, supplied_at, stored_at, retain_until, current_version_id)
       SELECT ${id('0002', 'n')}, ${id('0001', 'n')}, 'message', 'm', 'tickets/', 'support', false, $1, $1, $1::timestamptz + interval '3 years', ${id('0003', 'n')} FROM ${range}`,
      [now],
    );
    await run(
      `INSERT INTO ticket_piece_versions (id, piece_id, state, object_key, bytes, sha256, md5, content_type, told_at, told_exactly,
         received_at, last_received_at, said_at, sender, internal, body, body_text, next_attempt_at)
       SELECT ${id('0003', 'n')}, ${id('0002', 'n')}, 'kept', 'tickets/' || n, 100, repeat(md5(n::text), 2), md5(n::text), 'text/plain', $1, true,
         $1, $1, $1, 'customer', false, '', ${some(25, 100)} || CASE WHEN n % 5000 = 3 THEN ' zeldzaam' ELSE '' END, $1 FROM ${range}`,
      [now],
    );
    await run(`UPDATE tickets t SET document = ${documentSql} WHERE t.id >= ${id('0001', `${from}::bigint`)} AND t.id <= ${id('0001', `${from + step - 1}::bigint`)}`);
    process.stderr.write(`\r${Math.min(from + step, tickets)} tickets`);
  }
  process.stderr.write('\nindexes … ');
  for (const { definition } of indexes.filter(({ name }) => !name.endsWith('pkey'))) await run(definition);
}

/** What the service's own daily work and PostgreSQL's would have done by now. */
async function settle(database: Database): Promise<void> {
  const startedAt = performance.now();
  await renewWords(database);
  process.stderr.write(`words listed in ${((performance.now() - startedAt) / 1000).toFixed(0)} s, `);
  for (const table of ['tickets', 'ticket_pieces', 'ticket_piece_versions', 'ticket_words']) await database.query(`VACUUM ANALYZE ${table}`);
  process.stderr.write('analysed\n');
}

interface Bench {
  name: string;
  /** Another value at every turn, so that nothing is answered from the last. */
  filter(turn: number): TicketFilter;
  after?: (turn: number) => Date;
}

const at = <Item>(list: readonly Item[], turn: number): Item => {
  const item = list[turn % list.length];
  if (item === undefined) throw new Error('an empty list');
  return item;
};
const scattered = (turn: number) => (turn * 7_919_317) % tickets;

const benches: Bench[] = [
  { name: 'newest, first page', filter: () => ({}) },
  { name: 'newest, a page deep down', filter: () => ({}), after: (turn) => new Date(now.getTime() - (turn + 1) * 15 * 86_400_000) },
  { name: 'number', filter: (turn) => ({ number: `#${1_000_000 + scattered(turn)}` }) },
  { name: 'e-mail address', filter: (turn) => ({ email: `Klant${scattered(turn) % Math.ceil(tickets / 4)}@voorbeeld${scattered(turn) % 5000}.nl` }) },
  { name: 'telephone number', filter: (turn) => ({ phone: `06 ${String(scattered(turn) % Math.ceil(tickets / 3)).padStart(8, '0')}` }) },
  { name: 'end of a telephone number', filter: (turn) => ({ phone: String(1000 + (turn * 37) % 9000) }) },
  { name: 'organisation', filter: (turn) => ({ q: `"bedrijf ${scattered(turn) % Math.ceil(tickets / 40)}"` }) },
  { name: 'name (first and last)', filter: (turn) => ({ q: `${at(firstNames, turn)} ${at(lastNames, turn * 3)}` }) },
  { name: 'a word in most tickets', filter: (turn) => ({ q: at(words, turn) }) },
  { name: 'two words', filter: (turn) => ({ q: `${at(words, turn)} ${at(words, turn + 17)}` }) },
  { name: 'four words', filter: (turn) => ({ q: [0, 17, 31, 53].map((each) => at(words, turn + each)).join(' ') }) },
  { name: 'two words in a row', filter: (turn) => ({ q: `"${at(words, turn)} ${at(words, turn + 17)}"` }) },
  { name: 'a rare word', filter: () => ({ q: 'zeldzaam' }) },
  { name: 'a name that stands once', filter: (turn) => ({ q: `uniekenaam${(turn % Math.max(1, Math.floor(tickets / 1000))) * 1000 + 7}` }) },
  { name: 'a misspelt word', filter: (turn) => ({ q: at(['zeldsaam', 'Ravensbergn', 'toetsenbort', 'Elazouzzi', 'overenkomst'], turn) }) },
  { name: 'a word that is nowhere', filter: (turn) => ({ q: `qqxz${turn}qq` }) },
  { name: 'a word in one month', filter: (turn) => ({ q: at(words, turn), from: new Date(now.getTime() - (turn + 2) * 10 * 86_400_000), until: new Date(now.getTime() - (turn - 1) * 10 * 86_400_000) }) },
  { name: 'a rare word in one month', filter: (turn) => ({ q: 'zeldzaam', from: new Date(now.getTime() - (turn + 2) * 10 * 86_400_000), until: new Date(now.getTime() - (turn - 1) * 10 * 86_400_000) }) },
];

const percentile = (sorted: readonly number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

async function measure(database: Database): Promise<boolean> {
  let good = true;
  console.log(`${'query'.padEnd(30)} ${'rows'.padStart(5)} ${'p50 ms'.padStart(8)} ${'p95 ms'.padStart(8)}`);
  for (const { name, filter, after } of benches) {
    const took: number[] = [];
    let rows = 0;
    for (let turn = -5; turn < times; turn += 1) {
      const turned = turn + 5;
      const page = { limit: 50, after: after === undefined ? undefined : { at: after(turned), id: randomUUID() } };
      const startedAt = performance.now();
      const found = await findTickets(database, 'privacy_officer', filter(turned), page, { now, country: 'NL' });
      if (turn >= 0) took.push(performance.now() - startedAt);
      rows += found.length;
    }
    took.sort((a, b) => a - b);
    const p95 = percentile(took, 0.95);
    if (p95 > aimMs) good = false;
    console.log(`${name.padEnd(30)} ${String(Math.round(rows / (times + 5))).padStart(5)} ${percentile(took, 0.5).toFixed(1).padStart(8)} ${p95.toFixed(1).padStart(8)}${p95 > aimMs ? '  over the aim' : ''}`);
  }
  return good;
}

const folder = kept === undefined ? await mkdtemp(path.join(tmpdir(), 'opname-bench-')) : path.resolve(kept);
const log = createLog('error');
const server = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), log, fsync: false });
try {
  const database = await openDatabase({ url: server.url, log, poolSize: 2 });
  await migrate(database, migrations, log);
  const [there] = await database.query('SELECT 1 FROM tickets LIMIT 1');
  if (there === undefined) await fill(database);
  const [word] = await database.query('SELECT 1 FROM ticket_words LIMIT 1');
  if (word === undefined) await settle(database);
  const good = await measure(database);
  await database.close();
  console.log(good ? `All within ${aimMs} ms.` : `Not all within ${aimMs} ms.`);
  process.exitCode = good ? 0 : 1;
} finally {
  await server.stop();
  if (kept === undefined) await rm(folder, { recursive: true, force: true });
}

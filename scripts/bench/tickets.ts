import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrations } from '../../migrations/index.js';
import type { Person } from '../../src/access/caller.js';
import { openDatabase, type Database } from '../../src/platform/database.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgres.js';
import { createLog } from '../../src/platform/log.js';
import { migrate } from '../../src/platform/migrate.js';
import { findTickets, type TicketFilter } from '../../src/tickets/find-tickets.js';
import { documentSql } from '../../src/tickets/piece.js';
import { renewWords } from '../../src/tickets/search-words.js';

/**
 * How long finding a ticket takes among a million: every kind of search, first pages and deep ones, against the database
 * that the service embeds. `npm run bench -- tickets [how many tickets] [how often each query] [folder] [cold rounds]`: a
 * folder is kept, and used again by the next run.
 *
 * Cold is the first search of its kind after PostgreSQL was started anew, with the machine's own cache of files emptied
 * where that is allowed (as root): the slowest of three. Warm is what follows, another value at every turn. Beside what the
 * clock says stands the processor time that search took, in the database and here: on a machine that does other things as
 * well, only that can be compared.
 */

const tickets = Number(process.argv[3] ?? 1_000_000);
const times = Number(process.argv[4] ?? 60);
const kept = process.argv[5];
const coldRounds = Number(process.argv[6] ?? 3);
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

/** Besides those common ones, so many that most tickets lack: names, products, slips of the pen. */
const rareWords = 200_000;
const syllables = 'ba be bo da de do fa fe ga ge go ha he ho ka ke ko la le lo ma me mo na ne no pa pe po ra re ro sa se so ta te to va ve vo wa we wo za ze zo'.split(' ');
/** A word that no other number gives. */
function rareWord(number: number): string {
  let left = number;
  let word = '';
  for (let syllable = 0; syllable < 4; syllable += 1) {
    word += at(syllables, left);
    left = Math.floor(left / syllables.length);
  }
  return `${word}${'nrslt'[number % 5] ?? ''}`;
}

/** SQL: an element of a list, by a number that differs from row to row. */
const pick = (list: readonly string[], sql: string) => `(ARRAY[${list.map((each) => `'${each}'`).join(',')}])[1 + (${sql}) % ${list.length}]`;
/** SQL: looks random, is the same at every run. */
const dice = (salt: number) => `abs(hashint8extended(n, ${salt}))`;
/** SQL: five of the rare words, one of which may be anywhere among the first, others among all: as words go in a language. */
const fewRare = `(SELECT string_agg(w.word, ' ') FROM generate_series(1, 5) k JOIN bench_words w
  ON w.number = floor(power(${rareWords}, (abs(hashint8extended(n, 500 + k)) % 1000003) / 1000003.0))::int)`;
const some = (count: number, salt: number) => Array.from({ length: count }, (_, index) => pick(words, dice(salt + index))).join(` || ' ' || `);

async function fill(database: Database): Promise<void> {
  const run = (sql: string, bind: unknown[] = []) =>
    database.inTransaction(async (tx) => {
      await database.query('SET LOCAL statement_timeout = 0', [], tx);
      await database.query(sql, bind, tx);
    });
  const sourceId = randomUUID();
  await run(`INSERT INTO sources (id, name, kind, time_zone, channel_map, created_at) VALUES ($1, 'bench', 'helpdesk', 'UTC', '{caller}', $2)`, [sourceId, now]);
  await run('CREATE TABLE bench_words (number integer PRIMARY KEY, word text NOT NULL)');
  await run('INSERT INTO bench_words SELECT number - 1, word FROM unnest($1::text[]) WITH ORDINALITY AS made (word, number)', [
    Array.from({ length: rareWords + 1 }, (_, number) => rareWord(number)),
  ]);
  await run('ANALYZE bench_words');
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
         $1, $1, $1, 'customer', false, '', ${some(20, 100)} || ' ' || ${fewRare} || CASE WHEN n % 5000 = 3 THEN ' zeldzaam' ELSE '' END, $1 FROM ${range}`,
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

function at<Item>(list: readonly Item[], turn: number): Item {
  const item = list[turn % list.length];
  if (item === undefined) throw new Error('an empty list');
  return item;
}
const scattered = (turn: number) => (turn * 7_919_317) % tickets;
const phone = (turn: number) => String(scattered(turn) % Math.ceil(tickets / 3)).padStart(8, '0');
const ago = (wantedDays: number) => new Date(now.getTime() - wantedDays * 86_400_000);
/** Two letters change places. */
const slip = (word: string) => `${word.slice(0, 3)}${word[4] ?? ''}${word[3] ?? ''}${word.slice(5)}`;
const month = (turn: number) => ({ from: ago((turn % 90) * 10 + 40), until: ago((turn % 90) * 10 + 10) });

const benches: Bench[] = [
  { name: 'newest, first page', filter: () => ({}) },
  { name: 'newest, a page deep down', filter: () => ({}), after: (turn) => ago(((turn + 1) * 15) % 990) },
  { name: 'a month', filter: (turn) => month(turn) },
  { name: 'number', filter: (turn) => ({ number: `#${1_000_000 + scattered(turn)}` }) },
  { name: 'e-mail address', filter: (turn) => ({ email: `Klant${scattered(turn) % Math.ceil(tickets / 4)}@voorbeeld${scattered(turn) % 5000}.nl` }) },
  { name: 'telephone number, national', filter: (turn) => ({ phone: `06-${phone(turn)}` }) },
  { name: 'telephone number, +31 (0)6 …', filter: (turn) => ({ phone: `+31 (0)6 ${phone(turn)}` }) },
  { name: 'its last four digits', filter: (turn) => ({ phone: String(1000 + (turn * 37) % 9000) }) },
  { name: 'its last three digits', filter: (turn) => ({ phone: String(100 + (turn * 37) % 900) }) },
  { name: 'telephone number, as words', filter: (turn) => ({ q: `06 ${phone(turn)}` }) },
  { name: 'organisation', filter: (turn) => ({ q: `"bedrijf ${scattered(turn) % Math.ceil(tickets / 40)}"` }) },
  { name: 'name (first and last)', filter: (turn) => ({ q: `${at(firstNames, turn)} ${at(lastNames, turn * 3)}` }) },
  { name: 'name, a page deep down', filter: (turn) => ({ q: `${at(firstNames, turn)} ${at(lastNames, turn * 3)}` }), after: (turn) => ago(((turn + 1) * 15) % 900) },
  { name: 'a name that stands once', filter: (turn) => ({ q: `uniekenaam${(turn % Math.max(1, Math.floor(tickets / 1000))) * 1000 + 7}` }) },
  { name: 'a common word', filter: (turn) => ({ q: at(words, turn) }) },
  { name: 'a common word, deep down', filter: (turn) => ({ q: at(words, turn) }), after: (turn) => ago(((turn + 1) * 15) % 900) },
  { name: 'two words', filter: (turn) => ({ q: `${at(words, turn)} ${at(words, turn + 17)}` }) },
  { name: 'four words', filter: (turn) => ({ q: [0, 17, 31, 53].map((each) => at(words, turn + each)).join(' ') }) },
  { name: 'two words in a row', filter: (turn) => ({ q: `"${at(words, turn)} ${at(words, turn + 17)}"` }) },
  { name: 'one word without another', filter: (turn) => ({ q: `${at(words, turn)} -${at(words, turn + 17)}` }) },
  { name: 'a rare word (200 tickets)', filter: () => ({ q: 'zeldzaam' }) },
  { name: 'a rare word', filter: (turn) => ({ q: rareWord(1_000 + turn * 2_357) }) },
  { name: 'a rare and a common word', filter: (turn) => ({ q: `${rareWord(20 + turn * 29)} ${at(words, turn)}` }) },
  { name: 'a misspelt common word', filter: (turn) => ({ q: slip(at(words, turn)) }) },
  { name: 'a misspelt name', filter: (turn) => ({ q: at(['Ravensbergn', 'Elazouzzi', 'Zoetemlek', 'Hendirks'], turn) }) },
  { name: 'a misspelt rare word', filter: (turn) => ({ q: slip(rareWord(1_000 + turn * 2_357)) }) },
  { name: 'a word that is nowhere', filter: (turn) => ({ q: `qqxz${'abcdefghij'[turn % 10] ?? ''}${'klmnop'[turn % 6] ?? ''}qq` }) },
  { name: 'a common word in one month', filter: (turn) => ({ q: at(words, turn), ...month(turn) }) },
  { name: 'a rare word in one month', filter: (turn) => ({ q: 'zeldzaam', ...month(turn) }) },
];

const percentile = (sorted: readonly number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

interface Took {
  ms: number;
  /** Not known where the machine does not tell. */
  processorMs: number;
  rows: number;
}

/** Processes of the database, as far as this bench is connected to them. */
const backendsOf = async (database: Database) =>
  (await database.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE datname = current_database()')).map(({ pid }) => pid);

/** Milliseconds of processor time that they and this process have had so far (Linux tells it in nanoseconds). */
async function processorMs(pids: readonly number[]): Promise<number> {
  const { user, system } = process.cpuUsage();
  const told = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => 'NaN')));
  return told.reduce((sum, line) => sum + Number(line.split(' ')[0]) / 1e6, (user + system) / 1000);
}

const officer: Person = {
  kind: 'person', role: 'privacy_officer', userId: randomUUID(), email: 'officer@example.nl', name: 'Officer', locale: 'nl', extensions: [],
};

async function search(database: Database, { filter, after }: Bench, turn: number, pids: readonly number[] = []): Promise<Took> {
  const page = { limit: 50, after: after === undefined ? undefined : { at: after(turn), id: randomUUID() } };
  const before = await processorMs(pids);
  const startedAt = performance.now();
  const found = await findTickets(database, officer, filter(turn), page, { now, country: 'NL' });
  const ms = performance.now() - startedAt;
  return { ms, processorMs: (await processorMs(pids)) - before, rows: found.length };
}

/** The machine forgets what it read of files; not everybody may tell it to. */
const emptyCaches = () => writeFile('/proc/sys/vm/drop_caches', '1').then(() => true, () => false);

interface Running {
  database: Database;
  stop(): Promise<void>;
}

/** The first search of each kind, with nothing in memory. */
async function measureCold(open: () => Promise<Running>): Promise<Map<string, number>> {
  const slowest = new Map<string, number>();
  for (let round = 0; round < coldRounds; round += 1)
    for (const bench of benches) {
      const emptied = await emptyCaches();
      if (!emptied && slowest.size === 0) process.stderr.write("the machine's cache of files stays: cold is PostgreSQL's own only\n");
      const { database, stop } = await open();
      const { ms } = await search(database, bench, 1_000 + round);
      slowest.set(bench.name, Math.max(slowest.get(bench.name) ?? 0, ms));
      await stop();
    }
  return slowest;
}

async function measureWarm(database: Database, cold: ReadonlyMap<string, number>): Promise<boolean> {
  let good = true;
  const print = (name: string, columns: readonly string[]) => console.log(`${name.padEnd(30)} ${columns.map((each) => each.padStart(8)).join(' ')}`);
  // Both connections are open from here on.
  await Promise.all([database.query('SELECT pg_sleep(0.1)'), database.query('SELECT pg_sleep(0.1)')]);
  const pids = await backendsOf(database);
  print('search', ['rows', 'p50 ms', 'p95 ms', 'cpu p50', 'cpu p95', 'cold ms']);
  for (const bench of benches) {
    const took: Took[] = [];
    for (let turn = 0; turn < times + 5; turn += 1) {
      const each = await search(database, bench, turn, pids);
      if (turn >= 5) took.push(each);
    }
    const sorted = (of: (each: Took) => number) => took.map(of).sort((x, y) => x - y);
    const [ms, processor] = [sorted((each) => each.ms), sorted((each) => each.processorMs)];
    const p95 = percentile(ms, 0.95);
    if (p95 > aimMs) good = false;
    const rows = took.reduce((sum, each) => sum + each.rows, 0) / times;
    const figures = [percentile(ms, 0.5), p95, percentile(processor, 0.5), percentile(processor, 0.95), cold.get(bench.name) ?? Number.NaN];
    print(bench.name, [String(Math.round(rows)), ...figures.map((each) => each.toFixed(1)), ...(p95 > aimMs ? ['over the aim'] : [])]);
  }
  return good;
}

const folder = kept === undefined ? await mkdtemp(path.join(tmpdir(), 'opname-bench-')) : path.resolve(kept);
const log = createLog('error');

async function open(): Promise<Running> {
  const server = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), log, fsync: false });
  const database = await openDatabase({ url: server.url, log, poolSize: 2 });
  return {
    database,
    async stop() {
      await database.close();
      await server.stop();
    },
  };
}

try {
  const first = await open();
  await migrate(first.database, migrations, log);
  const [there] = await first.database.query('SELECT 1 FROM tickets LIMIT 1');
  if (there === undefined) await fill(first.database);
  const [word] = await first.database.query('SELECT 1 FROM ticket_words LIMIT 1');
  if (word === undefined) await settle(first.database);
  await first.stop();
  if (times > 0) {
    const cold = await measureCold(open);
    const running = await open();
    const good = await measureWarm(running.database, cold);
    await running.stop();
    console.log(good ? `All within ${aimMs} ms at p95, warm.` : `Not all within ${aimMs} ms.`);
    process.exitCode = good ? 0 : 1;
  }
} finally {
  if (kept === undefined) await rm(folder, { recursive: true, force: true });
}

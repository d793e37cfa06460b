import type { Database } from '../../src/platform/database.js';
import type { Objects } from '../../src/platform/objects.js';
import { Problem } from '../../src/platform/problem.js';

/** The process is dead: nothing that it was doing gets any further, and what it had not committed is gone. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied';
}

/** How often a failing backend fails, on either side of doing what it was asked. */
const failureRate = 0.06;

/** Counts that are written a second of the machine's own time later: the same seed would else bring other days. */
const inItsOwnTime = /ingest_hours|ingest_arrivals|UPDATE keys SET last_seen_at/;

/**
 * What befalls the process and what it stands on. Every call to database or storage passes here: the process may die
 * before or after any of them, and either backend may be away, or fail before it did what it was asked, or after.
 */
export class Faults {
  storage: 'there' | 'away' | 'failing' = 'there';
  database: 'there' | 'failing' = 'there';
  /** Keys that storage refuses to delete. */
  refuses: (key: string) => boolean = () => false;
  deaths = 0;
  failures = 0;
  #untilDeath = Infinity;
  #dead = false;

  constructor(private readonly random: () => number) {}

  /** The process dies at its `calls`th call from now, if it comes so far. */
  dieAfter(calls: number): void {
    this.#untilDeath = calls;
  }

  get hasDied(): boolean {
    return this.#dead;
  }

  /** A new process begins. */
  restart(): void {
    this.#dead = false;
    this.#untilDeath = Infinity;
  }

  get isCalm(): boolean {
    return this.storage === 'there' && this.database === 'there' && !this.#dead && this.#untilDeath === Infinity;
  }

  private pass(part: 'storage' | 'database'): void {
    if (this.#dead) throw new ProcessDied();
    this.#untilDeath -= 1;
    if (this.#untilDeath <= 0) {
      this.#dead = true;
      this.deaths += 1;
      throw new ProcessDied();
    }
    if (this[part] === 'away' || (this[part] === 'failing' && this.random() < failureRate)) {
      this.failures += 1;
      throw new Problem(part === 'storage' ? 'storage-unavailable' : 'database-unavailable');
    }
  }

  private async around<T>(part: 'storage' | 'database', ask: () => Promise<T>): Promise<T> {
    this.pass(part);
    const answer = await ask();
    this.pass(part);
    return answer;
  }

  wrapDatabase(database: Database): Database {
    const around = <T>(ask: () => Promise<T>) => this.around('database', ask);
    // A life asks the same some hundred statements again and again, of tables that stay small: to plan each of them anew
    // takes PostgreSQL ten times as long as to carry it out.
    const ask: Database['query'] = (sql, bind = [], tx) => bind.length === 0 ? database.query(sql, bind, tx) : database.queryOften(sql, bind, tx);
    const query: Database['query'] = (sql, bind, tx) => (inItsOwnTime.test(sql) ? ask(sql, bind, tx) : around(() => ask(sql, bind, tx)));
    return {
      sequelize: database.sequelize,
      inTransaction: (work) => around(() => database.inTransaction(work)),
      query,
      queryOften: query,
      advisoryLock: (tx, name, mode) => around(() => database.advisoryLock(tx, name, mode)),
      reachable: (timeoutMs) => around(() => database.reachable(timeoutMs)),
      close: () => Promise.resolve(),
    };
  }

  wrapObjects(objects: Objects): Objects {
    const pass = () => this.pass('storage');
    const refused = (key: string) => this.refuses(key);
    return new Proxy(objects, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        if (name === 'close') return () => undefined;
        if (name === 'list')
          return async function* (...args: Parameters<Objects['list']>) {
            pass();
            yield* target.list(...args);
            pass();
          };
        if (name === 'deleteEveryVersion')
          return (keys: string[]) =>
            this.around('storage', async () => {
              const done = await target.deleteEveryVersion(keys.filter((key) => !refused(key)));
              return [...done, ...keys.filter(refused).map((key) => ({ key, error: 'AccessDenied' }))];
            });
        return (...args: unknown[]) => this.around('storage', () => Promise.resolve(member.apply(target, args)));
      },
    });
  }
}
